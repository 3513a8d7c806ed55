//! A crate in which kiff has another name; the line below tells the macros where it is.

#![deny(missing_docs, warnings)]

extern crate trust as kiff;

/// Far from the root of the crate.
pub mod shop {
    use trust::{Failure, action, domain};

    domain! {
        /// What people carry around.
        pub domain Counter governs Basket;
        roles { Agent: agent, Shop: system }
        states { Open, final Closed }
        events { BasketOpened { by: String } reported by Shop; BasketClosed; }
        transitions { BasketOpened: new => Open; BasketClosed: Open => Closed; }
        actions { CloseBasket { risk: low, by: Agent, emits: BasketClosed }; }
        allow { Open => [CloseBasket]; }
    }

    /// Takes the basket back.
    #[action(Counter::CloseBasket)]
    async fn close_basket() -> Result<BasketClosed, Failure> {
        Ok(BasketClosed)
    }
}
