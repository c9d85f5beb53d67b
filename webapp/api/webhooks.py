"""`/webhooks`: addresses that are told when a run has ended, or when an image is anomalous."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from db.webhooks.messages import Event, delete_webhook, enable_webhook, get_webhook, list_messages, list_webhooks
from webapp.access.projects import ProjectsDep
from webapp.api.dependencies import Id, StoreDep
from workers.webhooks.delivery import make_webhook
from workers.webhooks.mqtt import shown_url
from workers.webhooks.trying import try_webhook

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


class NewWebhook(BaseModel):
    """Who is to be told of what."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000, description="http, https, or mqtt://BROKER/PREFIX.")]
    events: Annotated[list[Event], Field(min_length=1)] = ["run.finished", "image.anomalous"]
    project: str | None = Field(None, description="Only of this project; null: of all.")
    verdict: Literal["normal", "anomalous"] | None = Field(None, description="Only results with it; null: all.")
    station: str | None = Field(None, max_length=200, description="Only results of it; null: all.")


class WebhookView(BaseModel):
    """A webhook, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int | None
    url: Annotated[str, AfterValidator(shown_url)] = Field(description="A password in it is not shown.")
    events: list[Event]
    verdict: str | None
    station: str | None
    created_at: datetime
    failures: int = Field(description="In a row, since it last took something.")
    resting_until: datetime | None = Field(description="Nothing is sent there before.")
    disabled_at: datetime | None = Field(description="Null: it is told of what happens.")
    note: str = Field(description="Why it is switched off, where it did not answer for half a day.")


class WebhookChange(BaseModel):
    """Whether it is told of what happens."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class NewWebhookView(WebhookView):
    """A webhook that was just made: the only time that its secret is shown."""

    secret: str = Field(description="Messages are signed with it: X-AnomalyLoop-Signature is t=TIME,v1=HMAC-SHA256.")


class MessageView(BaseModel):
    """Something that a webhook was or is to be told."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    event: Event
    body: dict[str, Any]
    state: Literal["waiting", "delivered", "given_up"]
    attempts: int
    next_at: datetime
    problem: str
    created_at: datetime
    delivered_at: datetime | None


@router.get("")
def get_webhooks(store: StoreDep) -> list[WebhookView]:
    """All webhooks, the oldest first."""
    with store.session(read_only=True) as session:
        return [WebhookView.model_validate(one) for one in list_webhooks(session)]


@router.post("", status_code=201)
def post_webhook(store: StoreDep, projects: ProjectsDep, wanted: NewWebhook) -> NewWebhookView:
    """Tell an address of events from now on: signed, within seconds, again for half a day where it does not answer.

    `run.finished`: any run that ended, with its state and decision. `version.awaiting` and `version.decided`: a version
    waits for a second person, and what they decided, with the reason. `image.inspected`: every image, at its first
    score. `image.anomalous`: an image that the first version to score it calls anomalous, as its `verdict` says: by the
    project's threshold at once, or, before anything tells the project's images apart, when it comes to stand out among
    them (then `threshold` is null). A message may come twice; its `id` stays the same. To an MQTT broker they go with
    QoS 1, to PREFIX/PROJECT/STATION/EVENT, for as long as it is away.
    """
    project_id = None if wanted.project is None else projects.named(wanted.project).id
    made = make_webhook(
        store,
        project_id=project_id,
        url=wanted.url,
        events=list(dict.fromkeys(wanted.events)),
        verdict=wanted.verdict,
        station=wanted.station,
    )
    return NewWebhookView.model_validate(made)


@router.patch("/{webhook_id}")
def patch_webhook(store: StoreDep, webhook_id: Id, change: WebhookChange) -> WebhookView:
    """Switch it off, or on again: one that took nothing for half a day is switched off by itself, with a note."""
    with store.session() as session:
        return WebhookView.model_validate(enable_webhook(session, webhook_id, change.enabled))


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(store: StoreDep, webhook_id: Id) -> None:
    """Tell it nothing more; what waits for it is dropped."""
    with store.session() as session:
        delete_webhook(session, webhook_id)


@router.get("/{webhook_id}/messages")
def get_messages(store: StoreDep, webhook_id: Id) -> list[MessageView]:
    """The last fifty messages to a webhook, the newest first, with what went wrong."""
    with store.session(read_only=True) as session:
        get_webhook(session, webhook_id)
        return [MessageView.model_validate(one) for one in list_messages(session, webhook_id)]


class TriedView(BaseModel):
    """A message that was sent once, and what came of it."""

    model_config = ConfigDict(from_attributes=True)

    address: Annotated[str, AfterValidator(shown_url)] = Field(description="An http address, or a broker's topic.")
    headers: dict[str, str]
    body: dict[str, Any]
    problem: str = Field(description="Why it was not taken; empty: it was.")
    milliseconds: float


@router.post("/{webhook_id}/test")
def post_test(store: StoreDep, webhook_id: Id) -> TriedView:
    """Send a message of the event `test` now, and see what was sent and what came of it; it is sent once."""
    return TriedView.model_validate(try_webhook(store, webhook_id))
