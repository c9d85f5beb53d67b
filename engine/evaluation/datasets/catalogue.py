"""The data sets that are known by name: their classes, the layouts they are read in, and their licences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.evaluation.datasets.class_folders import class_folders
from engine.evaluation.datasets.dagm import read_dagm
from engine.evaluation.datasets.folder import read_folder
from engine.evaluation.datasets.index_files import read_index, read_meta
from engine.evaluation.datasets.item import DatasetError, LabelledImage, OtherLayout, Reader, what_is_there
from engine.evaluation.datasets.kolektor import read_kolektor
from engine.evaluation.datasets.label_folders import label_folders, read_class_images, read_head_ct
from engine.evaluation.datasets.paired_folders import paired_folders
from engine.evaluation.datasets.visa import read_visa


@dataclass(frozen=True)
class DataSet:
    """A data set by name.

    Attributes:
        name: on the command line.
        title: as the paper writes it.
        layouts: what each layout looks like → its reader, tried in this order.
        licence: a note for people; the set's own page decides.
        class_count: how many classes it has in the paper; 0 for one's own.
        has_masks: whether its anomalous images have masks; None: where any has one, all should.
    """

    name: str
    title: str
    layouts: dict[str, Reader]
    licence: str
    class_count: int = 0
    has_masks: bool | None = True
    listings: dict[str, Reader] = field(default_factory=lambda: dict(_LISTINGS))

    def read(self, root: Path) -> list[LabelledImage]:
        """All images of the set, both splits.

        Raises:
            DatasetError: the folder is in none of the layouts (it says what was looked for, where, and what is
                there), or in one of them and damaged.
        """
        looked_for = []
        for reader in (self.listings | self.layouts).values():
            try:
                return reader(root)
            except OtherLayout as missing:
                looked_for.append(str(missing))
        raise DatasetError(
            f"{root} is not {self.title} in a layout that is known. Looked for: {'; '.join(looked_for)}. "
            f"What is there: {what_is_there(root)}."
        )


_LISTINGS: dict[str, Reader] = {"meta.json of the reference": read_meta, "index.csv": read_index}
_NON_COMMERCIAL = "CC BY-NC-SA 4.0: no commercial use"
_RESEARCH = "research and education"
_UNSTATED = "none stated by its authors: treat as research only"
_MVTEC_LIKE = "<c>/test/<d>/*.png with <c>/ground_truth/<d>/*_mask.png"


def _mvtec_like(name: str, title: str, classes: Sequence[str], licence: str) -> DataSet:
    return DataSet(name, title, {_MVTEC_LIKE: class_folders(classes)}, licence, len(classes))


def _polyps(name: str, title: str, licence: str) -> DataSet:
    layouts = {"images/ with masks/ of the same names": paired_folders("images", "masks", "colon", "polyp")}
    return DataSet(name, title, layouts, licence, 1)


_MVTEC = "bottle cable capsule carpet grid hazelnut leather metal_nut pill screw tile toothbrush transistor wood zipper"
_DTD = (
    "Woven_001 Woven_127 Woven_104 Stratified_154 Blotchy_099 Woven_068 Woven_125 Marbled_078 Perforated_037 Mesh_114 "
    "Fibrous_183 Matted_069"
)
_COVID = {"NORMAL": 0, "COVID": 1, "Lung_Opacity": 1, "Viral Pneumonia": 1}
_ISIC = ("ISBI2016_ISIC_Part1_Test_Data", "ISBI2016_ISIC_Part1_Test_GroundTruth")

CATALOGUE = {
    one.name: one
    for one in (
        _mvtec_like("mvtec", "MVTec AD", _MVTEC.split(), _NON_COMMERCIAL),
        DataSet("visa", "VisA", {"split_csv/1cls.csv": read_visa}, "CC BY 4.0", 12),
        _mvtec_like(
            "mpdd",
            "MPDD",
            ["bracket_black", "bracket_brown", "bracket_white", "connector", "metal_plate", "tubes"],
            _NON_COMMERCIAL,
        ),
        DataSet(
            "btad",
            "BTAD",
            {"<c>/test/{ok,ko}/ with <c>/ground_truth/ko/": class_folders(("01", "02", "03"), normal="ok")},
            _NON_COMMERCIAL,
            3,
        ),
        DataSet(
            "sdd",
            "SDD",
            {
                "kosNN/PartM.jpg with kosNN/PartM_label.bmp": read_kolektor,
                "<c>/test/{good,defect}/ with <c>/ground_truth/defect/": class_folders(("electrical_commutators",)),
            },
            _NON_COMMERCIAL,
            1,
        ),
        DataSet(
            "dagm",
            "DAGM",
            {"Class1…10/{Train,Test}/*.PNG with Label/*_label.PNG; no label file: normal": read_dagm},
            _UNSTATED,
            10,
        ),
        _mvtec_like(
            "dtd_synthetic", "DTD-Synthetic", _DTD.split(), "see its page; DTD, which it is made of, is for research"
        ),
        DataSet(
            "isic",
            "ISIC",
            {
                f"{_ISIC[0]}/*.jpg with {_ISIC[1]}/*_Segmentation.png": paired_folders(*_ISIC, "skin", "lesion"),
                "skin/test/<d>/ with skin/ground_truth/<d>/": class_folders(("skin",)),
            },
            "CC0",
            1,
        ),
        _polyps("cvc_clinicdb", "CVC-ClinicDB", _RESEARCH),
        _polyps("cvc_colondb", "CVC-ColonDB", _RESEARCH),
        _polyps("kvasir", "Kvasir", _RESEARCH),
        _polyps("endo", "Endo", _RESEARCH),
        DataSet(
            "tn3k",
            "TN3K",
            {"test-image/ with test-mask/": paired_folders("test-image", "test-mask", "thyroid", "nodule")},
            _RESEARCH,
            1,
        ),
        DataSet(
            "headct",
            "HeadCT",
            {
                "head_ct/000.png with labels.csv (id, hemorrhage)": read_head_ct,
                "brain/test/{good,defect}/": class_folders(("brain",)),
            },
            _UNSTATED,
            1,
            has_masks=False,
        ),
        DataSet(
            "brainmri",
            "BrainMRI",
            {
                "brain_tumor_dataset/{yes,no}/; normal: no": label_folders(
                    {"no": 0, "yes": 1}, "brain", within="brain_tumor_dataset"
                )
            },
            _UNSTATED,
            1,
            has_masks=False,
        ),
        DataSet(
            "br35h",
            "Br35H",
            {"{yes,no}/; normal: no": label_folders({"no": 0, "yes": 1}, "brain")},
            _UNSTATED,
            1,
            has_masks=False,
        ),
        DataSet(
            "covid19",
            "COVID-19",
            {
                "{NORMAL,COVID,Lung_Opacity,Viral Pneumonia}/, or images/ in each; normal: NORMAL": label_folders(
                    _COVID, "chest", within="COVID-19_Radiography_Dataset"
                )
            },
            _RESEARCH,
            1,
            has_masks=False,
        ),
        DataSet(
            "folder",
            "a folder of your own",
            {"normal/, anomalous/ and masks/": read_folder},
            "yours",
            has_masks=None,
            listings={},
        ),
        DataSet("mvtec_like", "a folder like MVTec AD", {_MVTEC_LIKE: class_folders(())}, "yours", has_masks=None),
        DataSet(
            "meta", "the reference's meta.json", {"meta.json": read_meta}, "its set's", has_masks=None, listings={}
        ),
        DataSet(
            "classes",
            "a folder of classes, for one-class, open-set and out-of-distribution protocols",
            {"<class>/*.jpg, at least two classes": read_class_images},
            "yours",
            has_masks=False,
            listings={},
        ),
        DataSet(
            "index",
            "a table of your own",
            {"index.csv: image,label,mask and optionally category,defect,split": read_index},
            "yours",
            has_masks=None,
            listings={},
        ),
    )
}


def find_data_set(name: str) -> DataSet:
    """The data set of a name, `-` and case not mattering. Raises DatasetError naming those that are known."""
    key = name.lower().replace("-", "_")
    if key not in CATALOGUE:
        raise DatasetError(f"No data set is called {name!r}. Known: {', '.join(CATALOGUE)}.")
    return CATALOGUE[key]


def describe_catalogue() -> str:
    """Every set with its layouts and a note on its licence, as `evaluate --list` prints it."""
    lines = []
    for one in CATALOGUE.values():
        count = f", {one.class_count} class{'es' if one.class_count > 1 else ''}" if one.class_count else ""
        truth = {True: "", False: ", image level only", None: ""}[one.has_masks]
        lines.append(f"{one.name:<15}{one.title}{count}{truth}")
        lines += [f"{'':<15}  layout:  {layout}" for layout in one.layouts]
        lines.append(f"{'':<15}  licence: {one.licence}")
    lines.append("The page that a set comes from decides on its licence; these are notes.")
    lines.append("Each named set is also read from the reference's meta.json, or from an index.csv, at its root.")
    return "\n".join(lines)
