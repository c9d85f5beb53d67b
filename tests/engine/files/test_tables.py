"""Tables and names in the encodings that people's programs write."""

import pytest

from engine.files.encodings import decode_text, likely_encoding
from engine.files.tables import TableError, for_excel, read_table

WORDS = {
    "utf-8": ["균열", "傷", "Prüfung"],
    "cp949": ["균열", "용접_균열", "이미지", "검사결과", "불량_01", "스크래치", "깨짐", "왜곡"],
    "cp932": ["検査結果", "不良品_写真", "テスト画像", "外観検査", "異常"],
    "gb18030": ["裂纹", "正常", "新建文件夹", "缺陷样本"],
    "cp437": ["grün", "défaut", "Prüfteil_ä"],
    "cp1252": ["Prüfung", "défaut_été"],
}


@pytest.mark.parametrize("encoding", WORDS)
def test_names_are_told_by_what_they_look_like(encoding):
    for word in WORDS[encoding]:
        assert likely_encoding([word.encode(encoding)]) == encoding, word
    assert likely_encoding([word.encode(encoding) for word in WORDS[encoding]]) == encoding


TEXT = "image,label,mask\ni/균열.png,0,\n\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("cp949"),
        TEXT.encode("utf-8"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace(",", ";").encode("cp949"),
        TEXT.replace("\n", "\r\n").encode("cp949"),
    ],
)
def test_a_table_is_read_in_whatever_encoding_and_with_whatever_between_its_columns(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(data)
    assert read_table(tmp_path / "t.csv") == (
        ["image", "label", "mask"],
        [{"image": "i/균열.png", "label": "0", "mask": ""}],
    )


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfea")
    with pytest.raises(TableError, match=r"t\.csv can't be read as a table: .*Save it as UTF-8"):
        read_table(tmp_path / "t.csv")


def test_what_excel_opens_is_what_was_written():
    assert for_excel("a,b\n") == b"a,b\n"
    assert for_excel("균열\n") == b"\xef\xbb\xbf" + "균열\n".encode()
    assert decode_text(for_excel("균열\n")) == "균열\n"
