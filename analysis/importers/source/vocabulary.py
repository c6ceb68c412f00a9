"""Vocabulary: names that a field's column has in tables of other programs and languages, as data."""

import re
import unicodedata
from collections.abc import Sequence

#: Field → tiers of names, without case, blanks and punctuation; a name of an earlier tier wins. A final ``*`` stands for
#: any ending, and such a column must hold yes and no.
VOCABULARY: dict[str, tuple[str, ...]] = {
    "participant": (
        (
            "participant participantid participantcode participantnumber participantnr participantno subject "
            "subjectid subjectnr subjectnumber subjectno subjectcode subj subjid sub subid sbj expsubjectid "
            "participantprivateid observer observerid versuchsperson vp vpn vpnr vpcode proband probandid "
            "probandin teilnehmer teilnehmerin sujet sujeto participante soggetto ppt ppid ppn person personid "
            "rater"
        ),
        "prolificpid prolificid workerid uniqueid participantpublicid user userid player runid",
        "responseid pid sid pp id code",
    ),
    "group": (
        "group grp gruppe groupe grupo gruppo participantgroup betweengroup",
        "condition cond bedingung kondition condicion condizione experimentalcondition conditionname",
        "treatment arm mapsource manipulation masktype mask cuetype cue stimulustype stimtype imagetype",
    ),
    "level": (
        "level levels stimlevel stimuluslevel levellabel niveau stufe nivel livello",
        (
            "percent percentage pct prozent reveal revealed revealpercent visible contrast kontrast contrastlevel "
            "coherence coherencelevel noise noiselevel snr db soa isi stimdur stimulusduration presentationtime "
            "exposure intensity strength signalstrength eccentricity orientation tilt angle offset blur sigma "
            "cutoff spatialfrequency sf difficulty setsize lag phasenoise scramble distance size"
        ),
    ),
    "image": (
        "imageid image imagename imagefile imagepath bild imagen photo img imgid pic",
        "stimulusid stimulus stimulusfile stimulusname stimfile stimid stimname stim item itemid exemplar",
    ),
    "category": (
        "category kategorie categorie categoria imagecategory stimuluscategory objectcategory",
        "class classlabel kind art",
    ),
    "target": (
        "target istarget targetpresent signalpresent signal present isanimal isttier issignal isold hastarget",
        "is*",
    ),
    "truth": (
        (
            "truth correctresponse correctanswer correctkey correctchoice cresp corrans corrresp answerkey "
            "trueresponse trueanswer truelabel truecategory groundtruth rightanswer rightresponse "
            "expectedresponse expectedkey expectedanswer solution richtigeantwort loesung"
        ),
    ),
    "response": (
        ("response resp answer antwort reponse respuesta risposta participantresponse subjectresponse objectresponse"),
        "choice decision judgment judgement keyresp responsekey keypressed pressedkey pressed taste keypress",
        "buttonpressed button key answered",
    ),
    "correct": (
        "correct acc accuracy iscorrect corr wascorrect responsecorrect correctness korrekt richtig accurate",
        "right hit score success",
    ),
    "response_ms": (
        (
            "rt responsetime reactiontime latency responselatency rz reaktionszeit response reaction "
            "tempsdereponse tiempodereaccion tempodireazione"
        ),
    ),
    "phase": ("phase trialphase part stage practice ispractice blocktype blockname tasktype",),
    "session": ("session sessionid sessionnr sessionnumber sessionno sitzung",),
    "trial": ("trial trialnumber trialnr trialno trialn trialindex trialid trialnum durchgang",),
    "block": ("block blocknumber blocknr blockno blockn blockindex blocknum",),
}
#: Units that end a column's name, as :func:`unit_of_name` returns them.
UNITS = {
    "percent": "percent", "percentage": "percent", "pct": "percent", "prozent": "percent", "perc": "percent",
    "db": "dB", "decibel": "dB", "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms", "s": "s", "sec": "s",
    "seconds": "s", "deg": "degrees", "degree": "degrees", "degrees": "degrees", "dva": "degrees", "arcmin": "arcmin",
    "px": "px", "pixels": "px", "hz": "Hz", "cpd": "cycles/degree", "frames": "frames",
}  # fmt: skip
#: Quantities that have a unit of their own where the name says no other.
QUANTITIES = {
    "contrast": "contrast", "kontrast": "contrast", "coherence": "coherence", "soa": "ms", "isi": "ms",
    "eccentricity": "degrees", "orientation": "degrees", "tilt": "degrees", "angle": "degrees", "snr": "dB",
}  # fmt: skip
#: Names of columns that tell who somebody is; such columns are not kept.
PERSONAL = frozenset(
    [
        "ip",
        "ipaddress",
        "email",
        "mail",
        "name",
        "firstname",
        "lastname",
        "initials",
        "workerid",
        "prolificpid",
        "prolificid",
        "useragent",
        "browser",
        "assignmentid",
        "hitid",
        "latitude",
        "longitude",
        "locationlatitude",
        "locationlongitude",
        "recipientemail",
        "recipientfirstname",
        "recipientlastname",
    ]
)


def plain(name: str) -> str:
    """A column's name without case, accents, blanks and punctuation.

    Examples
    --------
    >>> plain("Participant Private ID"), plain("Réponse"), plain("rt_ms")
    ('participantprivateid', 'reponse', 'rtms')
    """
    text = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in text if letter.isalnum())


def words_of(name: str) -> list[str]:
    """The words of a column's name.

    Examples
    --------
    >>> words_of("noiseLevel_dB"), words_of("Reaction Time (ms)")
    (['noise', 'level', 'db'], ['reaction', 'time', 'ms'])
    """
    parts = re.split(r"[^0-9A-Za-zÀ-ɏ%]+|(?<=[a-z])(?=[A-Z][a-z])", name.replace("%", " percent "))
    return [part.casefold() for part in parts if part]


def without_unit(name: str) -> str:
    """A column's plain name without the unit at its end; a name that is a unit stays.

    Examples
    --------
    >>> without_unit("soa_ms"), without_unit("percent"), without_unit("Reaction Time (ms)")
    ('soa', 'percent', 'reactiontime')
    """
    words = words_of(name)
    while len(words) > 1 and words[-1] in UNITS:
        words.pop()
    return plain("".join(words))


def unit_of_name(name: str) -> str:
    """The unit that a column's name says; empty when it says none.

    A per cent of another quantity than the features carries that quantity's name.

    Examples
    --------
    >>> unit_of_name("percent"), unit_of_name("noise_dB"), unit_of_name("contrast_pct"), unit_of_name("level")
    ('percent', 'dB', 'percent contrast', '')
    """
    words = words_of(name)
    units = [UNITS[word] for word in words if word in UNITS]
    said = [word for word in words if word in QUANTITIES or word in ("noise", "phase", "size", "volume")]
    if units and units[-1] == "percent" and said:
        return f"percent {said[0]}"
    if units:
        return units[-1]
    return next((QUANTITIES[word] for word in words if word in QUANTITIES), "")


def candidates(field: str, columns: Sequence[str]) -> list[list[str]]:
    """Columns whose names can be a field's, by tier, in the order of the vocabulary.

    Examples
    --------
    >>> candidates("group", ["cond", "rt", "Group"])
    [['Group'], ['cond'], []]
    """
    found = []
    for tier in VOCABULARY.get(field, ()):
        fitting: dict[str, None] = {}
        for word in tier.split():
            for column in columns:
                name, bare = plain(column), without_unit(column)
                if word.endswith("*"):
                    fits = name.startswith(word[:-1]) and len(words_of(column)) > 1
                elif field == "response_ms":
                    fits = (
                        name == word if word not in ("response", "reaction") else name in (f"{word}ms", f"{word}times")
                    )
                    fits = fits or (bare == word and word not in ("response", "reaction"))
                else:
                    fits = name == word or (field == "level" and bare == word)
                fits = fits or (
                    field == "image" and word == "pic" and re.fullmatch(r"pic(ture)?(id|name|file)?", name) is not None
                )
                if fits:
                    fitting[column] = None
        found.append(list(fitting))
    return found
