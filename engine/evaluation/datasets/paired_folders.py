"""Sets of anomalous images alone, in one folder, with their masks in another."""

from pathlib import Path

from engine.evaluation.datasets.item import LabelledImage, OtherLayout, Reader, child, image_files
from engine.evaluation.datasets.mask_of import masks_in


def paired_folders(image_folder: str, mask_folder: str, class_name: str, defect: str) -> Reader:
    """A reader of `<image_folder>/*` and `<mask_folder>/*` with the same names; all images are anomalous."""

    def read(root: Path) -> list[LabelledImage]:
        masks = masks_in(image_files(child(root, mask_folder)))
        files = [path for path in image_files(child(root, image_folder)) if not _is_mask(path)]
        if not files:
            raise OtherLayout(f"{root}/{image_folder}/ with {root}/{mask_folder}/")
        return [LabelledImage(path, 1, masks(path), class_name, defect) for path in files]

    return read


def _is_mask(path: Path) -> bool:
    # ISIC keeps pictures of superpixels beside the images.
    return path.stem.lower().endswith(("_segmentation", "_superpixels", "_mask"))
