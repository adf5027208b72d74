"""Files of trained models that other programs run: ONNX, torch.export's programs, and safetensors."""

FORMAT_NAMES = ("onnx", "safetensors", "torch-export")
