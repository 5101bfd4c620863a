"""What can be wrong with a line or a cell of a partner's file: what it is, and what to do."""

from collections.abc import Mapping
from typing import Final

from shared.values.wire import Label

TEXTS: Final[Mapping[str, Label]] = {
    "malformed_json": Label(
        fr="la ligne n'est pas un objet JSON valide : un essai par ligne, en UTF-8",
        en="the line is not a valid JSON object: one trial on each line, in UTF-8",
    ),
    "line_too_long": Label(
        fr="plus de 1 Mio : raccourcissez les textes ; un guillemet non fermé peut aussi en être la cause",
        en="over 1 MiB: shorten the texts; a quotation mark that is not closed can also be the cause",
    ),
    "quotes": Label(
        fr="guillemets mal placés : doublez-les dans une cellule, et fermez-les à la fin",
        en="misplaced quotation marks: double them inside a cell, and close them at its end",
    ),
    "too_many_cells": Label(
        fr="plus de cellules que de titres : mettez entre guillemets les cellules qui contiennent le séparateur",
        en="more cells than headings: put cells that contain the separator in quotation marks",
    ),
    "formula": Label(
        fr="une formule n'est pas lue : collez sa valeur à la place",
        en="a formula is not read: paste its value in its place",
    ),
    "cell_error": Label(
        fr="la cellule contient une erreur (#N/A, #REF!…) : corrigez-la",
        en="the cell contains an error (#N/A, #REF!…): correct it",
    ),
    "wrong_type": Label(
        fr="un texte est attendu, ou une liste de textes si la colonne accepte plusieurs valeurs",
        en="a text is expected, or a list of texts where the column takes several values",
    ),
    "number_missing": Label(
        fr="votre numéro de l'essai est obligatoire, au plus 100 caractères",
        en="your number of the trial is required, at most 100 characters",
    ),
    "repeated_number": Label(
        fr="ce numéro est déjà celui d'une ligne précédente : seule la première est lue",
        en="an earlier line has this number already: only the first one is read",
    ),
    "names_person": Label(
        fr="n'est pas conservé : indiquez une fonction ou la boîte d'une fonction, jamais une personne",
        en="not kept: give a function or the mailbox of a function, never a person",
    ),
}
