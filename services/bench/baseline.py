"""The server that everything is compared with: FastAPI routes that return given bytes and do nothing else."""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Response


def create_app(bodies: dict[str, bytes]) -> FastAPI:
    """One route per body: ``GET /<name>``. A body of no bytes is answered with 304."""
    app = FastAPI(openapi_url=None)
    for name, body in bodies.items():
        app.add_api_route(f"/{name}", _route(body))
    return app


def _route(body: bytes) -> Any:
    async def read() -> Response:
        return Response(body, media_type="application/json") if body else Response(status_code=304)

    return read


def main() -> None:
    """``python -m services.bench.baseline PORT FOLDER``: serve each file of the folder under its name."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    bodies = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    uvicorn.run(
        create_app(bodies), host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False,
        log_level="warning", server_header=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
