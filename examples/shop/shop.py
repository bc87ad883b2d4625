"""A small shop: the service of the tutorial docs/your-own-service.md.

    uvicorn --app-dir examples/shop partner:app --port 8001      # the payment service that it calls
    uvicorn --app-dir examples/shop shop:app --port 8000

It knows nothing of rung: four endpoints as people write them, with SQLite and httpx.
"""

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

PARTNER = os.environ.get("PARTNER", "http://127.0.0.1:8001")
ITEMS = 5000


class Item(BaseModel):
    id: int
    name: str
    price: int


class Order(BaseModel):
    item: int
    count: int = 1


def create(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute(
            "CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, name, price)"
        )
        database.execute(
            "CREATE TABLE IF NOT EXISTS purchase (item INTEGER, count INTEGER)"
        )
        rows = ((n, f"item {n}", 100 + n % 900) for n in range(1, ITEMS + 1))
        database.executemany("INSERT OR IGNORE INTO item VALUES (?, ?, ?)", rows)


@asynccontextmanager
async def lifespan(shop: FastAPI) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        shop.state.path = Path(folder) / "shop.db"
        create(shop.state.path)
        async with httpx.AsyncClient(base_url=PARTNER) as shop.state.partner:
            yield


app = FastAPI(lifespan=lifespan)


def session(request: Request) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(request.app.state.path, check_same_thread=False)
    try:
        yield database
    finally:
        database.close()


Session = Annotated[sqlite3.Connection, Depends(session)]


@app.get("/items/{id}", response_model=Item)
def get_item(id: int, database: Session):
    row = database.execute(
        "SELECT id, name, price FROM item WHERE id = ?", [id]
    ).fetchone()
    if row is None:
        raise HTTPException(404)
    return Item(id=row[0], name=row[1], price=row[2])


@app.get("/items", response_model=list[Item])
def list_items(database: Session, page: int = 0):
    rows = database.execute(
        "SELECT id, name, price FROM item ORDER BY id LIMIT 50 OFFSET ?", [page * 50]
    )
    return [Item(id=row[0], name=row[1], price=row[2]) for row in rows]


@app.get("/quote/{id}")
async def quote(id: int, request: Request):
    """Asks the partner for a price, and signs it."""
    reply = await request.app.state.partner.get("/price", params={"item": id})
    reply.raise_for_status()
    signature = hashlib.pbkdf2_hmac("sha256", reply.content, b"shop", 2000)
    return {"price": reply.json()["price"], "signature": signature.hex()}


@app.post("/orders", status_code=201)
def order(order: Order, database: Session):
    database.execute("INSERT INTO purchase VALUES (?, ?)", [order.item, order.count])
    database.commit()
    return {"ok": True}
