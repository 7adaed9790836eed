"""From a picture to the faces in it: detectors, crops, and what a recognizer says of them."""
