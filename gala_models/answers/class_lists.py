"""Named class lists: which of a network's classes a category is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidvision.errors import InputError, did_you_mean

#: ILSVRC classes 0 … 397 are animals, 398 … 999 are not.
N_IMAGENET, N_IMAGENET_ANIMALS = 1000, 398

Classes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClassList:
    """Categories as classes of a network.

    Attributes
    ----------
    name : str
        Written beside the results.
    source : str
        Where the lists come from.
    n_classes : int
        Outputs of the networks that it is for.
    categories : dict
        Category -> indices of its classes.
    """

    name: str
    source: str
    n_classes: int
    categories: Mapping[str, Classes]


#: Indices in the order of ILSVRC 2012. The WordNet lists beside them in the source name synsets that ILSVRC does not
#: have; these lists are what its code uses.
SIXTEEN: dict[str, Classes] = {
    "airplane": (404,),
    "bear": (*range(294, 298),),
    "bicycle": (444, 671),
    "bird": (
        *(8, *range(10, 17), *range(18, 21), *range(22, 25), *range(80, 84), *range(87, 97), *range(98, 101)),
        *(*range(127, 134), *range(135, 146)),
    ),
    "boat": (472, 554, 625, 814, 914),
    "bottle": (440, 720, 737, 898, 899, 901, 907),
    "car": (436, 511, 817),
    "cat": (*range(281, 287),),
    "chair": (423, 559, 765, 857),
    "clock": (409, 530, 892),
    "dog": (
        *(*range(152, 192), *range(193, 204), *range(205, 227), *range(228, 242), *range(243, 251)),
        *(*range(252, 258), 259, 261, 262, 263, 265, 266, 267, 268),
    ),
    "elephant": (385, 386),
    "keyboard": (508, 878),
    "knife": (499,),
    "oven": (766,),
    "truck": (555, 569, 656, 675, 717, 734, 864, 867),
}

#: The paper's eight categories as ILSVRC classes.
EIGHT: dict[str, Classes] = {
    "bird": (*range(7, 25), *range(80, 101), *range(127, 147)),
    "zebra": (340,),
    "elephant": (101, 385, 386),
    "cat": (281, 282, 283, 284, 285),
    "table": (532,),
    "couch": (831,),
    "refrigerator": (760,),
    "umbrella": (879,),
}

#: In the order in which they are looked through.
CLASS_LISTS: tuple[ClassList, ...] = (
    ClassList(
        "imagenet-16",
        "Geirhos et al. (2018, 2021): bethgelab/model-vs-human, modelvshuman/helper/human_categories.py",
        N_IMAGENET,
        SIXTEEN,
    ),
    ClassList("imagenet-8", "Linsley et al. (2019): the categories of the experiment", N_IMAGENET, EIGHT),
)


def list_named(name: str) -> ClassList:
    """Return a class list by its name.

    Examples
    --------
    >>> sum(len(classes) for classes in list_named("imagenet-16").categories.values())
    207
    """
    found = {one.name: one for one in CLASS_LISTS}
    if name not in found:
        raise InputError(f'classes: got "{name}". {did_you_mean(name, found)}')
    return found[name]


def list_for(
    categories: Sequence[str], n_classes: int, *, network: str, own: Sequence[str] = (), name: str = ""
) -> ClassList:
    """Return the class list in which a network has every category of a task.

    Parameters
    ----------
    categories : sequence of str
        What the options stand for.
    n_classes : int
        Outputs of the network.
    network : str
        Its name, for messages.
    own : sequence of str
        The network's own classes by name, in order; they come first.
    name : str
        The list to take; without it the first in which all categories are.

    Raises
    ------
    InputError
        When no list has them all, or the one that is named does not: says which are missing.

    Examples
    --------
    >>> list_for(["cat", "table"], 1000, network="net").name
    'imagenet-8'
    """
    lists = [list_named(name)] if name else list(CLASS_LISTS)
    if own and not name:
        one_by_one = {word: (index,) for index, word in enumerate(own)}
        lists = [ClassList("own", "the classes that the network was trained on", len(own), one_by_one)]
    fitting = [one for one in lists if one.n_classes == n_classes]
    for one in fitting:
        if all(category in one.categories for category in categories):
            return one
    if not fitting:
        known = ", ".join(f"{one.name} ({one.n_classes})" for one in lists)
        raise InputError(
            f"{network}: has {n_classes} classes without names; the task asks for {', '.join(categories)}. Class lists "
            f"there are: {known}"
        )
    best = min(fitting, key=lambda one: sum(category not in one.categories for category in categories))
    missing = ", ".join(category for category in categories if category not in best.categories)
    raise InputError(f"{network}: the class list {best.name} has no {missing}; it has {', '.join(best.categories)}")
