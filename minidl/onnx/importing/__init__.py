"""Models from ONNX files: what the graph computes, in minidl's layers."""
