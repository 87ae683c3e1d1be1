"""Open HDF5 store of originals and features, with exact ranking over the features."""
