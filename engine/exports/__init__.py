"""What leaves the engine as files: scores, maps, masks and overlays of many images, and an ONNX model."""
