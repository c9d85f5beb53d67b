"""The data sets in a folder of folders: by their names, or else by what is in them."""

from pathlib import Path

from engine.evaluation.datasets.catalogue import CATALOGUE, DataSet
from engine.evaluation.datasets.item import DatasetError, folders, what_is_there

# What published archives unpack to, where that is neither our name nor the paper's.
_ARCHIVES = {
    "mvtec_anomaly_detection": "mvtec",
    "VisA_20220922": "visa",
    "BTech_Dataset_transformed": "btad",
    "kolektor_sdd": "sdd",
    "DAGM_KaggleUpload": "dagm",
    "kvasir_seg": "kvasir",
    "COVID-19_Radiography_Dataset": "covid19",
}
# Layouts that a folder of any name may have. Not `classes`: any folders of images are that.
_ANY_NAME = ("meta", "index", "mvtec_like", "folder")


def find_data_sets(root: Path) -> tuple[list[tuple[DataSet, Path]], list[Path]]:
    """What can be evaluated in a folder.

    Args:
        root: holds a folder for each data set.

    Returns:
        the data sets with their folders, by the folders' names; and the folders that are none.

    Raises:
        DatasetError: there is no data set in it, or one named like a set is in none of its layouts.
    """
    found, others = [], []
    for folder in folders(root):
        data_set = _by_name(folder) or _by_content(folder)
        if data_set is None:
            others.append(folder)
        else:
            found.append((data_set, folder))
    if not found:
        raise DatasetError(
            f"{root} holds no data sets. Looked for: a folder for each, called after the set (see evaluate --list) or "
            f"with a meta.json, an index.csv, <c>/test/ or normal/ and anomalous/ in it. What is there: "
            f"{what_is_there(root)}."
        )
    return found, others


def _by_name(folder: Path) -> DataSet | None:
    names = {_plain(name): one for one in CATALOGUE.values() if one.class_count for name in (one.name, one.title)}
    names |= {_plain(archive): CATALOGUE[name] for archive, name in _ARCHIVES.items()}
    return names.get(_plain(folder.name))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _by_content(folder: Path) -> DataSet | None:
    for name in _ANY_NAME:
        try:
            CATALOGUE[name].read(folder)
            return CATALOGUE[name]
        except DatasetError:
            continue
    return None
