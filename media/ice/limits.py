"""Token buckets with an injected clock, for datagrams that nobody has authenticated yet.

Must not keep more than a fixed number of keys, whatever arrives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable


class Bucket:
    """At most `burst` at once and `per_second` in the long run."""

    __slots__ = ("_burst", "_last_ns", "_rate", "_tokens")

    def __init__(self, per_second: float, burst: float, now_ns: int) -> None:
        self._rate = per_second / 1e9
        self._burst = burst
        self._tokens = burst
        self._last_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Use one token; False when there is none."""
        elapsed = now_ns - self._last_ns
        if elapsed > 0:
            self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
            self._last_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class KeyedBuckets:
    """A bucket per key, the least recently used one forgotten beyond `capacity` keys."""

    def __init__(self, per_second: float, burst: float, capacity: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._capacity = capacity
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now_ns: int) -> bool:
        """Use one token of `key`; False when it has none."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._per_second, self._burst, now_ns)
            if len(self._buckets) > self._capacity:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket.take(now_ns)
