"""What the endpoints are given: the store, the settings, and the project that a request names."""

from typing import Annotated

from fastapi import Depends

from db.store import Store
from settings import Settings, get_settings
from workers.context import get_store

StoreDep = Annotated[Store, Depends(get_store)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
