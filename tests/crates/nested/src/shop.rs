//! A module in a file of its own, with a domain.

use kiff::{Failure, action, domain};

domain! {
    pub domain Counter governs Basket;
    roles { Agent: agent, Shop: system }
    states { Open, final Closed }
    events { BasketOpened { by: String } reported by Shop; BasketClosed; }
    transitions { BasketOpened: new => Open; BasketClosed: Open => Closed; }
    actions { CloseBasket { risk: low, by: Agent, emits: BasketClosed }; }
    allow { Open => [CloseBasket]; }
}

#[action(Counter::CloseBasket)]
async fn close_basket() -> Result<BasketClosed, Failure> {
    Ok(BasketClosed)
}
