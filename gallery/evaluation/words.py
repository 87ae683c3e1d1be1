"""Words that people use for the classes, and words for several classes at once.

They measure. The product must not know them, or it would be measured by its own answers.
Where each table comes from, and by which rule, is in docs/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CLASS_NAME_BY_SYNONYM: Mapping[str, str] = MappingProxyType(
    {
        "puppy": "dog",
        "kitten": "cat",
        "automobile": "car",
        "bike": "bicycle",
        "sofa": "couch",
        "television": "tv",
        "plane": "airplane",
        "motorbike": "motorcycle",
        "man": "person",
        "woman": "person",
        "doughnut": "donut",
        "fridge": "refrigerator",
        "cellphone": "cell phone",
        "lorry": "truck",
        "cattle": "cow",
        "ship": "boat",
        "desk": "dining table",
        "mug": "cup",
        "pony": "horse",
        "jet": "airplane",
        "minivan": "car",
        "hound": "dog",
        "racquet": "tennis racket",
        "surfer": "surfboard",
        "stove": "oven",
        "armchair": "chair",
        "lamb": "sheep",
        "pup": "dog",
        "girl": "person",
        "wristwatch": "clock",
        "backpacks": "backpack",
        "freezer": "refrigerator",
    }
)

CAPTION_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "person": ("boy", "kid", "child"),
        "bicycle": ("unicycle", "minibike", "trike"),
        "car": ("van", "sedan", "suv"),
        "motorcycle": ("scooter", "motor bike", "motor cycle"),
        "airplane": ("jetliner", "air plane", "monoplane"),
        "bus": ("minibus", "trolley"),
        "train": ("locomotive", "tramway", "caboose"),
        "truck": ("pickup", "hauler", "firetruck"),
        "boat": ("liner", "sailboat", "motorboat"),
        "traffic light": ("street light", "traffic signal", "stop light"),
        "fire hydrant": ("hydrant",),
        "bench": ("pew",),
        "bird": ("ostrich", "owl", "seagull"),
        "cat": ("feline", "tabby"),
        "dog": ("beagle", "chihuahua", "schnauzer"),
        "horse": ("colt", "racehorse", "stallion"),
        "sheep": ("ram", "goat", "ewe"),
        "cow": ("oxen", "ox", "calf"),
        "bear": ("panda",),
        "backpack": ("knapsack",),
        "handbag": ("wallet", "purse", "briefcase"),
        "tie": ("bow", "bow tie"),
        "suitcase": ("suit case",),
        "skis": ("ski",),
        "sports ball": ("ball",),
        "surfboard": ("longboard", "skimboard", "shortboard"),
        "tennis racket": ("racket",),
        "knife": ("pocketknife", "knive"),
        "sandwich": ("burger", "sub", "cheeseburger"),
        "donut": ("bagel",),
        "cake": ("cheesecake", "cupcake", "shortcake"),
        "chair": ("stool",),
        "couch": ("recliner", "futon", "loveseat"),
        "potted plant": ("houseplant",),
        "dining table": ("table",),
        "toilet": ("urinal", "commode", "lavatory"),
        "tv": ("monitor", "televison"),
        "laptop": ("notebook", "netbook", "lenovo"),
        "cell phone": ("mobile phone", "phone", "telephone"),
        "oven": ("stovetop", "stove top oven"),
        "teddy bear": ("teddybear",),
        "hair drier": ("hairdryer",),
    }
)
"""By class name; "televison" and "knive" are misspelt where they come from."""

CLASS_NAMES_BY_HYPERNYM: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # COCO's supercategories, with all of their classes.
        "vehicle": (
            *("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
        ),
        "animal": (
            *("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra"),
            "giraffe",
        ),
        "accessory": ("backpack", "umbrella", "handbag", "tie", "suitcase"),
        "sports equipment": (
            *("frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat"),
            *("baseball glove", "skateboard", "surfboard", "tennis racket"),
        ),
        "kitchenware": ("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl"),
        "food": (
            *("banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza"),
            *("donut", "cake"),
        ),
        "furniture": ("chair", "couch", "potted plant", "bed", "dining table", "toilet"),
        "electronics": ("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
        "appliance": ("microwave", "oven", "toaster", "sink", "refrigerator"),
        # Other words, by what a dictionary says of them.
        "pet": ("cat", "dog"),
        "livestock": ("horse", "sheep", "cow"),
        "wild animal": ("elephant", "bear", "zebra", "giraffe"),
        "mammal": (
            *("cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
        ),
        "fruit": ("banana", "apple", "orange"),
        "vegetable": ("broccoli", "carrot"),
        "dessert": ("donut", "cake"),
        "cutlery": ("fork", "knife", "spoon"),
        "silverware": ("fork", "knife", "spoon"),
        "utensil": ("fork", "knife", "spoon"),
        "tableware": ("wine glass", "cup", "fork", "knife", "spoon", "bowl"),
        "drinkware": ("wine glass", "cup"),
        "container": ("bottle", "wine glass", "cup", "bowl", "vase"),
        "bag": ("backpack", "handbag", "suitcase"),
        "luggage": ("backpack", "suitcase"),
        "seat": ("bench", "chair", "couch"),
        "toy": ("frisbee", "kite", "teddy bear"),
        "plant": ("potted plant",),
        "computer": ("laptop",),
        "aircraft": ("airplane",),
        "watercraft": ("boat",),
        "motor vehicle": ("car", "motorcycle", "bus", "truck"),
        "transport": (
            *("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
        ),
    }
)
