"""The design: which images under which conditions, in which blocks."""

from typing import Annotated, Literal

from msgspec import Meta, field

from rapidvision.recipes import Recipe

from .response import Name, Scalar

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
#: Columns of a stimulus set that can be factors without a list of values.
SET_COLUMNS = ("map_source", "level")


class Factor(Recipe, frozen=True):
    """Something that differs between trials, blocks or participants.

    Attributes
    ----------
    name : str
        A column of the stimulus set (``map_source``, ``level``), or a new name; then `values` is needed.
    vary : {"between", "within", "block"}
        Between participants, between the trials of a participant, or between blocks.
    values : tuple of bool, int, float or str
        Its values; those of the set by default. Levels are named by `level_index`.
    """

    name: Name
    vary: Literal["between", "within", "block"] = "within"
    values: tuple[Scalar, ...] = ()


class Pair(Recipe, frozen=True):
    """Two images in a trial, ``first`` and ``second``; makes the factor ``pair`` with the values same and different.

    Attributes
    ----------
    same : {"image", "category", "target"}
        What two images of the kind ``same`` share.
    share_same : float
        Share of trials of the kind ``same``, 0 to 1.
    """

    same: Literal["image", "category", "target"] = "category"
    share_same: Share = 0.5


class Design(Recipe, frozen=True):
    """Which images a participant sees, how often, under which factors and in which blocks.

    Attributes
    ----------
    images : int or "all"
        Images per participant; categories stay equal, and each image is used equally often over the slots.
    repetitions : int
        How often each is shown, each time under another combination of the factors while there are any left; beyond
        them the combinations come again in the same order.
    blocks : int
        Number of blocks.
    block_size : int or "auto"
        Trials in a block. A number that does not fit the images is refused.
    balanced_blocks : bool
        Equal numbers of every category in each block. The paper shuffled freely.
    balance : {"rotate", "williams"}
        In which order the conditions of blocks come. ``rotate``: the same cycle, begun one further from participant to
        participant, so that each condition has each place equally often. ``williams``: rows of a Williams square, so
        that each condition also follows each other one equally often, over as many participants as the square has
        rows: the number of conditions, or twice an odd one.
    factors : tuple of Factor
        What differs.
    fixed : dict
        Column of the set -> its one value, where it is no factor.
    pair : Pair or None
        Two images in a trial.
    """

    images: Count | Literal["all"] = "all"
    repetitions: Count = 1
    blocks: Count = 5
    block_size: Count | Literal["auto"] = "auto"
    balanced_blocks: bool = True
    balance: Literal["rotate", "williams"] = "rotate"
    factors: tuple[Factor, ...] = ()
    fixed: dict[str, Scalar] = field(default_factory=dict)
    pair: Pair | None = None
