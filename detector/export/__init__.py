"""`python -m detector.export`: fetch the pinned weights, write the models that detectors load.

The only place, with the tests, that imports TensorFlow.
"""
