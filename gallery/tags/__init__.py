"""Tags: what people call a photo, and what the gallery suggests to call it by its look."""
