"""An annotator, as Locust plays many of: uploads, looks at what to correct next, reads maps, saves masks."""

import random

from locust import HttpUser, between, task

from benchmarks.load.pictures import mask, photograph


class Annotator(HttpUser):
    """Between two things that they do, people look at the picture for some seconds."""

    wait_time = between(2, 8)

    @task(1)
    def upload(self) -> None:
        """A new picture."""
        self.client.post("/api/v1/images", files=[("files", ("part.jpg", photograph()))], name="upload")

    @task(2)
    def browse(self) -> None:
        """The Library, and the thumbnails of a page."""
        for image in self._images(name="library", limit=12):
            self.client.get(f"/api/v1/images/{image['id']}/thumbnail", name="thumbnail")

    @task(5)
    def correct(self) -> None:
        """One of what to correct next: the picture, its map, and a mask."""
        images = self._images(name="queue", status="to_review", order="uncertain", limit=20)
        if not images:
            return
        image_id = random.choice(images)["id"]
        self.client.get(f"/api/v1/images/{image_id}", name="image")
        self.client.get(f"/api/v1/images/{image_id}/display", name="picture")
        self.client.get(f"/api/v1/images/{image_id}/map?format=grid", name="map")
        self.client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": ("m.png", mask())}, name="save mask")

    def _images(self, *, name: str, **filters: str | int) -> list[dict]:
        answer = self.client.get("/api/v1/images", params=filters, name=name)
        return answer.json()["items"] if answer.ok else []
