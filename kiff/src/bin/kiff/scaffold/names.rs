//! From the descriptor's names to Rust's, each of them once.

use std::collections::BTreeSet;

use crate::words::WORDS;

/// Names that mean something else in the file that is written.
const TAKEN: [&str; 17] = [
    "Box",
    "Cents",
    "Domain",
    "Err",
    "Execution",
    "Failure",
    // The crates, beside which the module of a domain of that name would stand.
    "Kiff",
    "KiffTest",
    "None",
    "Ok",
    "Option",
    "ReasonCode",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
];

/// A declared name: what Rust calls it, and what it is on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// What Rust calls it.
    pub(crate) ident: String,
    /// What it is on the wire, where that does not follow from the identifier.
    wire: Option<String>,
}

impl Name {
    /// A name that Rust has already.
    pub(crate) fn plain(ident: &str) -> Self {
        Self { ident: ident.to_owned(), wire: None }
    }

    /// As it stands where it is declared.
    pub(crate) fn declared(&self) -> String {
        match &self.wire {
            Some(wire) => format!("{} as \"{wire}\"", self.ident),
            None => self.ident.clone(),
        }
    }
}

/// Gives each name an identifier that no other has, also not as permissions write it.
#[derive(Debug, Default)]
pub(crate) struct Identifiers(BTreeSet<String>);

impl Identifiers {
    /// Identifiers of a block for this domain and this entity.
    pub(crate) fn new(domain: &str, entity: &str) -> (Self, Name, Name) {
        let mut identifiers = Self(TAKEN.iter().map(|taken| snake(taken)).collect());
        let domain = identifiers.name(domain, "Domain", snake, &["Role", "Services"]);
        let entity = identifiers.name(entity, "Entity", str::to_owned, &["State", "Event"]);
        (identifiers, domain, entity)
    }

    /// The name of a role.
    pub(crate) fn role(&mut self, name: &str) -> Name {
        self.name(name, "Role", snake, &[])
    }

    /// The name of a state.
    pub(crate) fn state(&mut self, name: &str) -> Name {
        self.name(name, "State", screaming, &[])
    }

    /// The name of an event.
    pub(crate) fn event(&mut self, name: &str) -> Name {
        self.name(name, "Event", screaming, &[])
    }

    /// The name of an action, and of what it answers with where that is one of several events.
    pub(crate) fn action(&mut self, name: &str, answers_with_several: bool) -> Name {
        let answer: &[&str] = if answers_with_several { &["Event"] } else { &[] };
        self.name(name, "Action", screaming, answer)
    }

    /// An identifier that is free, as are those that are made of it with these ends.
    fn name(&mut self, name: &str, kind: &str, to_wire: fn(&str) -> String, ends: &[&str]) -> Name {
        let with_ends = |ident: &str| ends.iter().map(|end| format!("{ident}{end}")).collect::<Vec<String>>();
        let is_taken = |ident: &str| self.0.contains(&snake(ident));
        let mut ident = pascal(name);
        while is_taken(&ident) || with_ends(&ident).iter().any(|made| is_taken(made)) {
            ident.push_str(kind);
        }
        self.0.extend(with_ends(&ident).iter().map(|made| snake(made)));
        self.0.insert(snake(&ident));
        let wire = Some(name.to_owned()).filter(|wire| *wire != to_wire(&ident));
        Name { ident, wire }
    }
}

/// `ORDER_PAID`, `order.paid` and `orderPaid` become `OrderPaid`.
fn pascal(name: &str) -> String {
    let words = name.split(['_', '-', '.', ':', '/']).filter(|word| !word.is_empty());
    words.map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let is_mixed = word.contains(char::is_lowercase) && word.contains(char::is_uppercase);
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let rest = letters.map(|letter| if is_mixed { letter } else { letter.to_ascii_lowercase() });
    first.into_iter().chain(rest).collect()
}

/// `RefundOrder` becomes `refund_order`, as on the wire.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (position, letter) in letters.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(position + 1);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if begins_word && !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// What Rust calls a parameter, and the executor of an action.
pub(crate) fn parameter(name: &str) -> String {
    let snake = snake(name).replace(['-', '.', ':', '/'], "_");
    match snake.as_str() {
        // The last one is the fn that stands where an executor is still to be written.
        "self" | "super" | "crate" | "execution" | "services" | "unwritten" => format!("{snake}_"),
        word if WORDS.contains(&word) => format!("r#{snake}"),
        _ => snake,
    }
}

/// `REFUND_ORDER` as the beginning of a sentence: `Refund order`.
pub(crate) fn sentence(name: &Name) -> String {
    capitalised(&snake(&name.ident).replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_own_identifier_and_keeps_its_wire() {
        let (mut identifiers, domain, entity) = Identifiers::new("refund-desk", "order");
        let declared = [domain.declared(), entity.declared()];
        assert_eq!(declared, ["RefundDesk as \"refund-desk\"", "Order as \"order\""]);
        let states = ["PAID", "Paid", "ORDER_2_PAID"].map(|name| identifiers.state(name).declared());
        assert_eq!(states, ["Paid", "PaidState as \"Paid\"", "Order2Paid as \"ORDER_2_PAID\""]);
        let events = ["PAID", "FAILURE", "orderPaid"].map(|name| identifiers.event(name).declared());
        assert_eq!(events, ["PaidEvent as \"PAID\"", "FailureEvent as \"FAILURE\"", "OrderPaid as \"orderPaid\""]);
        let actions = ["PAY_BACK", "HTTP_CALL", "HTTPCall"].map(|name| identifiers.action(name, false).declared());
        assert_eq!(actions, ["PayBack", "HttpCall", "HTTPCallAction as \"HTTPCall\""]);
    }

    #[test]
    fn an_action_that_answers_with_several_events_needs_a_name_for_its_answer() {
        let (mut identifiers, _, _) = Identifiers::new("shop", "Order");
        let events = ["PAY_EVENT", "SHIP_EVENT"].map(|name| identifiers.event(name).declared());
        assert_eq!(events, ["PayEvent", "ShipEvent"]);
        assert_eq!(identifiers.action("SHIP", false).declared(), "Ship");
        assert_eq!(identifiers.action("PAY", true).declared(), "PayAction as \"PAY\"");
        assert_eq!(
            identifiers.action("PAY_ACTION_EVENT", false).declared(),
            "PayActionEventAction as \"PAY_ACTION_EVENT\""
        );
    }

    #[test]
    fn parameters_are_named_as_rust_names_them() {
        assert_eq!(["orderId", "type", "payment-id"].map(parameter), ["order_id", "r#type", "payment_id"]);
        assert_eq!(["try", "unsafe", "self"].map(parameter), ["r#try", "r#unsafe", "self_"]);
        assert_eq!(["unwritten", "Unwritten", "given"].map(parameter), ["unwritten_", "unwritten_", "given"]);
    }

    #[test]
    fn no_name_is_one_that_the_written_files_use() {
        let (mut identifiers, domain, entity) = Identifiers::new("kiff", "KiffDomainRole");
        assert_eq!(domain.declared(), "KiffDomain as \"kiff\"");
        assert_eq!(entity.declared(), "KiffDomainRoleEntity as \"KiffDomainRole\"");
        assert_eq!(identifiers.event("REASON_CODE").declared(), "ReasonCodeEvent as \"REASON_CODE\"");
        assert_eq!(identifiers.action("REASON_CODE", false).declared(), "ReasonCodeAction as \"REASON_CODE\"");
        assert_eq!(
            identifiers.event("KIFF_DOMAIN_SERVICES").declared(),
            "KiffDomainServicesEvent as \"KIFF_DOMAIN_SERVICES\""
        );
        let (_, _, entity) = Identifiers::new("order_event", "Order");
        assert_eq!(entity.declared(), "OrderEntity as \"Order\"");
    }
}
