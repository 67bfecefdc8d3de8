"""minidl's layers in the operators of ONNX."""
