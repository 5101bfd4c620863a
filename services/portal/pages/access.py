"""The policies of pages: anyone may look and send a form; the API decides what a visitor may see and do."""

from typing import Annotated

from fastapi import Depends

from shared.access.policy import Access
from shared.http.guards import allow

Reader = Annotated[Access, Depends(allow("page", "read"))]
Sender = Annotated[Access, Depends(allow("page", "execute"))]
