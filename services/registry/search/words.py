"""Words as the index has them, and the beginnings by which a word of a search finds them. Pure."""

from shared.vocabulary.text import fold

# Shorter words are not shortened, and have no typing errors.
SHORTEST_STEM = 5
# One error in words of this length, two in longer ones from `TWO_ERRORS` on.
ONE_ERROR, TWO_ERRORS = 5, 9
MAX_WORD = 60


def index_words(text: str) -> list[str]:
    """Return the words of a text: lower case, no accents, ``e`` for ``ae`` and ``oe`` (haemophilia)."""
    return [_plain(word) for word in fold(text).split()]


def beginnings(word: str) -> tuple[str, ...]:
    """Return the beginnings of the indexed words that this word finds, so that its plural finds the singular."""
    word = _plain(word)
    if len(word) < SHORTEST_STEM:
        return (word,)
    if word.endswith("ies"):
        return word[:-2], word[:-3] + "y"
    if word.endswith("aux"):
        return word, word[:-2] + "l"
    if word.endswith(("ique", "iques")):
        return word.removesuffix("s"), word.removesuffix("s")[:-3] + "c"
    if word.endswith("y"):
        return word, word[:-1] + "ie"
    if word.endswith(("s", "x")) and not word.endswith(("ss", "us", "is")):
        return (word[:-1],)
    return (word,)


def errors_of(word: str) -> int:
    """Return how many letters may differ where nothing has the word as it is written."""
    if len(word) < ONE_ERROR or any(letter.isdigit() for letter in word):
        return 0
    return 1 if len(word) < TWO_ERRORS else 2


def begins(word: str, typed: str) -> bool:
    """Return whether a word of the index begins as typed; longer words may have errors (`errors_of`)."""
    if any(word.startswith(one) for one in beginnings(typed)):
        return True
    errors = errors_of(typed)
    lengths = range(len(typed) - errors, len(typed) + errors + 1)
    return errors > 0 and any(_distance(typed, word[:length]) <= errors for length in lengths)


def _distance(one: str, other: str) -> int:
    """Return how many letters to change, add, leave out or exchange with the next one make two words equal."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _plain(word: str) -> str:
    return word[:MAX_WORD].replace("ae", "e").replace("oe", "e")
