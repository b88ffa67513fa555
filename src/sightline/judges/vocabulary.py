"""Log-probabilities of given tokens without the logits of a whole vocabulary in memory. Knows tensors, no models.

Axes: N positions, D width, V vocabulary, C one chunk of it.
"""

from __future__ import annotations

import torch

CELLS_CPU, CELLS_GPU = 1 << 18, 1 << 26  # logits held at once: what fits a cache, what keeps a GPU busy
LEAST = 512  # columns of a chunk, below which a matrix product loses speed
ROWS_CPU, ROWS_GPU = 2048, 16384


def token_logps(
    hidden_ND: torch.Tensor,
    weight_VD: torch.Tensor,
    targets_N: torch.Tensor,
    bias_V: torch.Tensor | None = None,
    cap: float | None = None,
    chunk: int | None = None,
) -> torch.Tensor:
    """log p(target_n) = z[n, target_n] - log sum_v exp(z[n, v]),  z = hidden weight^T + bias, as a float32 vector (N,).

    The vocabulary is gone through in chunks with a running maximum and sum, so that at most N x chunk logits exist.

    Args:
        hidden_ND: last hidden states, in the number format of the weights.
        weight_VD: of the output layer.
        targets_N: token ids in 0..V-1.
        bias_V: of the output layer, or None.
        cap: logits are softened to cap * tanh(z / cap), as Gemma 2 does.
        chunk: columns at once; None: as many as fit the cache of the device.

    Example:
        >>> hidden, weight = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.5, 0.0], [-1.0, 0.0]])
        >>> token_logps(hidden, weight, torch.tensor([0]), chunk=2)
        tensor([-0.2413])
    """
    on_gpu = hidden_ND.device.type == "cuda"
    rows = ROWS_GPU if on_gpu else ROWS_CPU
    if chunk is None:
        chunk = max(LEAST, (CELLS_GPU if on_gpu else CELLS_CPU) // max(1, min(rows, len(hidden_ND))))
    parts = zip(hidden_ND.split(rows), targets_N.split(rows), strict=True)
    done = [_rows(part_ND, weight_VD, part_N, bias_V, cap, chunk) for part_ND, part_N in parts]
    return torch.cat(done) if done else hidden_ND.new_zeros(0, dtype=torch.float32)


def _rows(
    hidden_ND: torch.Tensor,
    weight_VD: torch.Tensor,
    targets_N: torch.Tensor,
    bias_V: torch.Tensor | None,
    cap: float | None,
    chunk: int,
) -> torch.Tensor:
    size = len(hidden_ND)
    highest_N = hidden_ND.new_full((size,), -torch.inf, dtype=torch.float32)
    sum_N = torch.zeros_like(highest_N)
    said_N = torch.zeros_like(highest_N)
    for start in range(0, len(weight_VD), chunk):
        z_NC = hidden_ND @ weight_VD[start : start + chunk].T
        z_NC = z_NC.float() if bias_V is None else z_NC.float() + bias_V[start : start + chunk].float()
        if cap is not None:
            z_NC = cap * torch.tanh(z_NC / cap)
        place_N = targets_N - start
        here_N = (place_N >= 0) & (place_N < z_NC.shape[1])
        found_N = z_NC.gather(1, place_N.clamp(0, z_NC.shape[1] - 1)[:, None])[:, 0]
        said_N = torch.where(here_N, found_N, said_N)
        higher_N = torch.maximum(highest_N, z_NC.amax(1))
        sum_N = sum_N * (highest_N - higher_N).exp() + z_NC.sub_(higher_N[:, None]).exp_().sum(1)
        highest_N = higher_N
    return said_N - highest_N - sum_N.log()
