"""Networks as ONNX files: written, run by onnxruntime, and read back.

``onnx`` and ``onnxruntime`` come with ``pip install 'convtool[onnx]'`` and are imported on use.
"""
