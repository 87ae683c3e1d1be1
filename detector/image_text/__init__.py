"""An image–text model that somebody plugs in: photos and texts become vectors of one space."""
