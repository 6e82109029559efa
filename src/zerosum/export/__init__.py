"""A trained generator as one file that needs no zerosum: an ONNX graph, or C source, with all transforms inside.

graph.py       latents and conditions to events in physical units, traced into one ONNX graph
closure.py     the exported file against PyTorch on the same latents: no file without agreement
onnx_file.py   what is written beside the graph, and drawing events from the file
c_source.py    the graph of an MLP as C99 without dependencies; c_template.py is its frame
exporting.py   from a run to a file
"""
