"""Networks as ONNX files: export, inference with onnxruntime, and import.

``onnx`` and ``onnxruntime`` come with ``pip install 'convtool[onnx]'`` and are imported on use.
"""
