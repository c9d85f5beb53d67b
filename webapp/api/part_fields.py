"""The fields of a form that say which part its images show."""

from typing import Annotated

from fastapi import Depends, Form, HTTPException

from db.images.part_facts import LONGEST, PartFacts
from webapp.api.dependencies import Moment


def part_facts(
    part: Annotated[str | None, Form(max_length=LONGEST, description="The part's number.")] = None,
    lot: Annotated[str | None, Form(max_length=LONGEST, description="The lot that it belongs to.")] = None,
    station: Annotated[str | None, Form(max_length=LONGEST, description="Where the image was taken.")] = None,
    captured_at: Annotated[
        Moment | None, Form(description="When it was taken, with its zone; else its EXIF time or its name's.")
    ] = None,
    tags: Annotated[list[str] | None, Form(description="Free words; repeat the field for several.")] = None,
) -> PartFacts:
    """What is said of all images of the request; what is left out is read from their names and EXIF."""
    words = tuple(dict.fromkeys(word for tag in tags or [] if (word := tag.strip())))
    try:
        return PartFacts(part or None, lot or None, station or None, captured_at, words)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


PartDep = Annotated[PartFacts, Depends(part_facts)]
