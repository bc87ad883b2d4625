"""The payment service that the shop calls: half of its replies take 50 ms, one in a hundred 200 ms."""

import asyncio
import math
import random

from fastapi import FastAPI

app = FastAPI()

MEDIAN = 0.050
SIGMA = math.log(0.200 / 0.050) / 2.326


@app.get("/price")
async def price(item: int):
    await asyncio.sleep(random.lognormvariate(math.log(MEDIAN), SIGMA))
    return {"price": 100 + item % 900}
