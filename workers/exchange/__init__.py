"""Labels that leave the project and labels made elsewhere that come in: zips, COCO, MVTec layout, plain masks."""
