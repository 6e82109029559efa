"""What is expected where conditions are given: the coefficients with which the data were drawn come back."""

import pytest
import torch

from zerosum.game.given import Expected, Given, log_linear, terms


def condition(n: int = 8_000) -> torch.Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(1))


def test_the_mean_and_the_width_that_events_were_drawn_with_are_found() -> None:
    c, random = condition(), torch.Generator().manual_seed(2)
    noise = torch.randn(len(c), 2, generator=random)
    x = torch.cat([2 + c, 1 - 3 * c**2], 1) + noise * torch.cat(
        [0.5 * (0.3 * c).exp(), 2 * torch.ones_like(c)], 1
    )
    given = Given(1, 2)
    given.fit(x, c)
    mean, width = given(torch.tensor([[-1.0], [0.0], [1.0]]), x)
    torch.testing.assert_close(mean, torch.tensor([[1.0, -2.0], [2.0, 1.0], [3.0, -2.0]]), atol=0.15, rtol=0)
    expected = torch.tensor([[0.5 * 0.741, 2.0], [0.5, 2.0], [0.5 * 1.35, 2.0]])
    torch.testing.assert_close(width, expected, atol=0, rtol=0.08)


def test_columns_that_arrive_early_are_those_that_stand_alone() -> None:
    """Dense and sparse columns need different numbers of rounds; none of them changes another one."""
    c, random = condition(), torch.Generator().manual_seed(3)
    rates = torch.exp(torch.linspace(-5, 3, 9) + torch.linspace(-1, 1, 9) * c)
    counts = torch.poisson(rates, generator=random)
    present = torch.ones_like(counts)
    together = log_linear(counts, c, present)
    alone = torch.cat([log_linear(counts[:, [k]], c, present[:, [k]]) for k in range(9)], 1)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    found = (terms(c, counts) @ together)[:, 4:].exp()
    score = ((counts[:, 4:] - found).mean(0) / counts[:, 4:].mean(0)).abs()
    assert float(score.max()) < 1e-3  # the Poisson score equation of the constant term


@pytest.mark.parametrize(("a", "b"), [(3.0, 1.0), (0.0, 2.0), (-2.0, 1.5), (2.0, -1.0)])
def test_the_slope_of_an_expected_number_is_found_where_conditions_have_tails(a: float, b: float) -> None:
    c = condition()
    counts = torch.poisson(torch.exp(a + b * c), generator=torch.Generator().manual_seed(5))
    found = terms(torch.tensor([[-1.0], [0.0], [1.0]]), c) @ log_linear(counts, c, torch.ones_like(counts))
    torch.testing.assert_close(found, torch.tensor([[a - b], [a], [a + b]]), atol=0.3, rtol=0)


def test_many_columns_are_seen_like_few() -> None:
    """The fit of what is seen takes fewer events where there are many columns, and says nearly the same."""
    c, random = condition(9_000), torch.Generator().manual_seed(4)
    x = torch.randn(len(c), 1, generator=random) + 2 * c
    few, many = Expected(x, c), Expected(x.expand(-1, 1_600), c)
    assert float((few(x[:500], c[:500]) - many(x[:500].expand(-1, 1_600), c[:500])[:, :1]).abs().max()) < 0.25
