"""Each data set is read in the layouts that users have; another folder is told what was looked for, where."""

import csv
import json

import pytest

from engine.evaluation.datasets.catalogue import CATALOGUE, describe_catalogue, find_data_set
from engine.evaluation.datasets.item import DatasetError
from tests.engine.evaluation.datasets.trees import draw_image, draw_mask, draw_mvtec_class


def read(name, root):
    """(class, split, label, image, mask) of each image, relative to the root."""
    return {
        (
            one.class_name,
            one.split,
            one.label,
            one.image.relative_to(root).as_posix(),
            one.mask and one.mask.relative_to(root).as_posix(),
        )
        for one in find_data_set(name).read(root)
    }


def test_all_17_sets_of_the_paper_are_known_with_their_classes():
    counts = {name: one.class_count for name, one in CATALOGUE.items() if one.class_count}
    assert len(counts) == 17
    assert (counts["mvtec"], counts["visa"], counts["mpdd"], counts["btad"]) == (15, 12, 6, 3)
    assert (counts["dagm"], counts["dtd_synthetic"]) == (10, 12)


def test_the_list_names_layouts_and_licences():
    text = describe_catalogue()
    assert "split_csv/1cls.csv" in text and "no commercial use" in text
    assert text.count("licence:") == len(CATALOGUE)


@pytest.mark.parametrize(
    ("name", "first"), [("mvtec", "bottle"), ("mpdd", "tubes"), ("dtd-synthetic", "Mesh_114"), ("mvtec_like", "mine")]
)
def test_the_layout_of_mvtec(tmp_path, name, first):
    draw_mvtec_class(tmp_path / first, defect="bad")
    assert read(name, tmp_path) == {
        (first, "train", 0, f"{first}/train/good/000.png", None),
        (first, "test", 0, f"{first}/test/good/000.png", None),
        (first, "test", 0, f"{first}/test/good/001.png", None),
        (first, "test", 1, f"{first}/test/bad/000.png", f"{first}/ground_truth/bad/000_mask.png"),
        (first, "test", 1, f"{first}/test/bad/001.png", f"{first}/ground_truth/bad/001_mask.png"),
    }


def test_visa_by_its_table(tmp_path):
    rows = [
        ("candle", "test", "anomaly", "candle/Data/Images/Anomaly/000.JPG", "candle/Data/Masks/Anomaly/000.png"),
        ("candle", "train", "normal", "candle/Data/Images/Normal/0000.JPG", ""),
    ]
    for *_, image, mask in rows:
        draw_image(tmp_path / image)
        if mask:
            draw_mask(tmp_path / mask)
    (tmp_path / "split_csv").mkdir()
    with (tmp_path / "split_csv" / "1cls.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("object", "split", "label", "image", "mask"), *rows])
    assert read("visa", tmp_path) == {
        ("candle", "test", 1, rows[0][3], rows[0][4]),
        ("candle", "train", 0, rows[1][3], None),
    }


def test_visa_with_other_columns_says_which_are_missing(tmp_path):
    (tmp_path / "split_csv").mkdir()
    (tmp_path / "split_csv" / "1cls.csv").write_text("object,image\ncandle,x.png\n")
    with pytest.raises(DatasetError, match="no column split, label, mask; it has: object, image"):
        find_data_set("visa").read(tmp_path)


@pytest.mark.parametrize("mask_suffix", [".bmp", ".png"])
def test_btad_calls_normal_ok(tmp_path, mask_suffix):
    draw_image(tmp_path / "01/test/ok/0000.bmp")
    draw_image(tmp_path / "01/test/ko/0001.bmp")
    draw_mask(tmp_path / f"01/ground_truth/ko/0001{mask_suffix}")
    assert read("btad", tmp_path) == {
        ("01", "test", 0, "01/test/ok/0000.bmp", None),
        ("01", "test", 1, "01/test/ko/0001.bmp", f"01/ground_truth/ko/0001{mask_suffix}"),
    }


def test_sdd_as_published_is_normal_where_the_label_is_empty(tmp_path):
    for number, marked in ((0, False), (1, True)):
        draw_image(tmp_path / f"kos01/Part{number}.jpg")
        draw_mask(tmp_path / f"kos01/Part{number}_label.bmp", marked=marked)
    name = "electrical_commutators"
    assert read("sdd", tmp_path) == {
        (name, "test", 0, "kos01/Part0.jpg", None),
        (name, "test", 1, "kos01/Part1.jpg", "kos01/Part1_label.bmp"),
    }


def test_sdd_without_a_label_file_is_not_taken_for_normal(tmp_path):
    draw_image(tmp_path / "kos01/Part0.jpg")
    with pytest.raises(DatasetError, match=r"Part0\.jpg has no Part0_label\.bmp"):
        find_data_set("sdd").read(tmp_path)


def test_sdd_in_the_layout_of_mvtec(tmp_path):
    draw_mvtec_class(tmp_path / "electrical_commutators", defect="defect")
    assert sum(label for _, _, label, _, _ in read("sdd", tmp_path)) == 2


def test_dagm_is_normal_without_a_label_file(tmp_path):
    draw_image(tmp_path / "Class1/Train/0576.PNG")
    draw_image(tmp_path / "Class1/Test/0001.PNG")
    draw_mask(tmp_path / "Class1/Train/Label/0576_label.PNG")
    assert read("dagm", tmp_path) == {
        ("Class1", "train", 1, "Class1/Train/0576.PNG", "Class1/Train/Label/0576_label.PNG"),
        ("Class1", "test", 0, "Class1/Test/0001.PNG", None),
    }


@pytest.mark.parametrize("name", ["cvc_clinicdb", "cvc_colondb", "kvasir", "endo"])
def test_polyps_are_all_anomalous(tmp_path, name):
    draw_image(tmp_path / "images/Frame1.jpg")
    draw_mask(tmp_path / "masks/frame1.PNG")  # another case and format than the image's
    assert read(name, tmp_path) == {("colon", "test", 1, "images/Frame1.jpg", "masks/frame1.PNG")}


def test_tn3k(tmp_path):
    draw_image(tmp_path / "test-image/0000.jpg")
    draw_mask(tmp_path / "test-mask/0000.jpg")
    assert read("tn3k", tmp_path) == {("thyroid", "test", 1, "test-image/0000.jpg", "test-mask/0000.jpg")}


def test_isic_as_published_and_in_the_layout_of_mvtec(tmp_path):
    images, masks = "ISBI2016_ISIC_Part1_Test_Data", "ISBI2016_ISIC_Part1_Test_GroundTruth"
    draw_image(tmp_path / "a" / images / "ISIC_0000003.jpg")
    draw_mask(tmp_path / "a" / masks / "ISIC_0000003_Segmentation.png")
    expected = f"{images}/ISIC_0000003.jpg", f"{masks}/ISIC_0000003_Segmentation.png"
    assert read("isic", tmp_path / "a") == {("skin", "test", 1, *expected)}
    draw_image(tmp_path / "b/skin/test/bad/1.jpg")
    draw_mask(tmp_path / "b/skin/ground_truth/bad/1.png")
    assert read("isic", tmp_path / "b") == {("skin", "test", 1, "skin/test/bad/1.jpg", "skin/ground_truth/bad/1.png")}


def test_head_ct_by_its_labels(tmp_path):
    for number in (0, 1):
        draw_image(tmp_path / f"head_ct/{number:03}.png")
    (tmp_path / "labels.csv").write_text("id, hemorrhage\n0,1\n1,0\n")
    assert read("headct", tmp_path) == {
        ("brain", "test", 1, "head_ct/000.png", None),
        ("brain", "test", 0, "head_ct/001.png", None),
    }
    (tmp_path / "labels.csv").write_text("id, hemorrhage\n7,1\n")
    with pytest.raises(DatasetError, match="names image 7"):
        find_data_set("headct").read(tmp_path)


@pytest.mark.parametrize(
    ("name", "normal", "anomalous"),
    [
        ("brainmri", "brain_tumor_dataset/no", "brain_tumor_dataset/yes"),
        ("br35h", "no", "yes"),
        ("covid19", "NORMAL", "COVID"),
        ("covid19", "COVID-19_Radiography_Dataset/Normal/images", "COVID-19_Radiography_Dataset/COVID/images"),
        ("headct", "brain/test/good", "brain/test/defect"),
    ],
)
def test_sets_with_a_folder_for_each_label(tmp_path, name, normal, anomalous):
    draw_image(tmp_path / normal / "1.png")
    draw_image(tmp_path / anomalous / "2.png")
    found = {(image, label, mask) for _, _, label, image, mask in read(name, tmp_path)}
    assert found == {(f"{normal}/1.png", 0, None), (f"{anomalous}/2.png", 1, None)}


def test_the_references_index_is_read_for_any_set(tmp_path):
    draw_image(tmp_path / "candle/1.JPG")
    draw_mask(tmp_path / "candle/1.png")
    entries = [
        {
            "img_path": "candle/1.JPG",
            "mask_path": "candle/1.png",
            "cls_name": "candle",
            "specie_name": "bad",
            "anomaly": 1,
        }
    ]
    (tmp_path / "meta.json").write_text(json.dumps({"train": {}, "test": {"candle": entries}}))
    expected = {("candle", "test", 1, "candle/1.JPG", "candle/1.png")}
    assert read("visa", tmp_path) == read("meta", tmp_path) == expected


@pytest.mark.parametrize("text", ["[]", '{"test": {"c": [{"mask_path": ""}]}}', "not json"])
def test_a_damaged_index_says_what_entries_need(tmp_path, text):
    (tmp_path / "meta.json").write_text(text)
    with pytest.raises(DatasetError, match="img_path, mask_path and anomaly"):
        find_data_set("meta").read(tmp_path)


def test_a_table_with_labels_masks_classes_and_splits(tmp_path):
    draw_image(tmp_path / "images/1.jpg")
    draw_mask(tmp_path / "masks/1.png")
    header, row = "image,label,mask,category,defect,split", "images/1.jpg,1,masks/1.png,road,crack,train"
    (tmp_path / "index.csv").write_text(f"{header}\n{row}\n")
    assert read("index", tmp_path) == {("road", "train", 1, "images/1.jpg", "masks/1.png")}
    (tmp_path / "index.csv").write_text(f"{header}\nimages/1.jpg,good,,road,,test\n")
    with pytest.raises(DatasetError, match="line 2: the label is 'good'"):
        find_data_set("index").read(tmp_path)


@pytest.mark.parametrize("name", CATALOGUE)
def test_another_folder_is_told_what_was_looked_for_and_what_is_there(tmp_path, name):
    draw_image(tmp_path / "holiday" / "beach.jpg")
    with pytest.raises(DatasetError) as caught:
        find_data_set(name).read(tmp_path)
    assert "Looked for" in str(caught.value) and str(tmp_path) in str(caught.value)
    assert "What is there: holiday" in str(caught.value)


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(DatasetError, match="No data set is called 'imagenet'"):
        find_data_set("imagenet")
