//! Parameters of less common types: that they are read, and held to their rules.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kiff::{Actor, ActorId, Call, Cents, Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use pollster::block_on;
use serde_json::{Value, json};

domain! {
    /// Letters and what they cost.
    pub domain Mail governs Letter;
    roles { Clerk: agent, Depot: system }
    states { Written, final Sent }
    events {
        LetterWritten reported by Depot;
        LetterSent { receipt: String };
    }
    transitions {
        LetterWritten: new     => Written;
        LetterSent:    Written => Sent;
    }
    actions { SendLetter { risk: low, by: Clerk, emits: LetterSent }; }
    allow { Written => [SendLetter]; }
}

/// Sends a letter.
#[action(Mail::SendLetter)]
async fn send_letter(
    #[param(float("rates of exchange, no amounts"))] rates: BTreeMap<String, f64>,
    #[param(float("grams, beside what they cost"))] weights: Vec<(Cents, f64)>,
    #[param(length(min = 1, max = 6))] town: Box<str>,
    #[param(pattern("[a-z]{2}"), length(max = 2))] language: Cow<'static, str>,
    #[param(length(max = 3), pattern("[A-Z]+"))] code: Option<Box<str>>,
) -> Result<LetterSent, Failure> {
    Ok(LetterSent { receipt: format!("{rates:?} {weights:?} {town} {language} {code:?}") })
}

/// What is said of a letter with these parameters instead of sound ones; none where it is sent.
fn refused(instead: &Value) -> Option<String> {
    let mut parameters = json!({"rates": {"CHF": 0.93}, "weights": [[85, 20.5]], "town": "Zürich", "language": "de"});
    for (name, value) in instead.as_object().unwrap() {
        parameters[name] = value.clone();
    }
    let parameters = parameters.to_string();
    block_on(async {
        let (clerk, depot) = (Actor::agent("clerk").unwrap(), Actor::system("depot").unwrap());
        let policy = RolePolicy::new()
            .assign(ActorId::new("clerk").unwrap(), MailRole::Clerk)
            .assign(ActorId::new("depot").unwrap(), MailRole::Depot);
        let runtime = Runtime::<Mail, _>::new(MemoryStore::new(), policy, ());
        let letter = Mail::entity("l-1").unwrap();
        assert!(runtime.ingest(&depot, &letter, LetterWritten).await.unwrap().is_allowed());
        let outcome = runtime.execute(&clerk, &letter, Call::new("SEND_LETTER", parameters)).await.unwrap();
        let told = outcome.refusal().map(|refusal| refusal.message.clone());
        assert_eq!(told.is_none(), outcome.outcome() == "executed", "{outcome:?}");
        told
    })
}

#[test]
fn a_float_is_waived_whatever_stands_beside_it() {
    assert_eq!(refused(&json!({})), None);
    let told = refused(&json!({"rates": {"CHF": "0.93"}})).unwrap();
    assert!(told.contains("`rates` is invalid"), "{told}");
}

#[test]
fn a_text_is_held_to_its_rules_whatever_owns_it() {
    assert_eq!(refused(&json!({"code": "ZRH"})), None);
    for (instead, told) in [
        (json!({"town": ""}), "`town` is invalid: the length must be from 1 to 6"),
        (json!({"town": "Geneva!"}), "`town` is invalid: the length must be from 1 to 6"),
        (json!({"language": "DE"}), "`language` is invalid: it must match `[a-z]{2}`"),
        (json!({"language": "deu"}), "`language` is invalid: it must match `[a-z]{2}`"),
        (json!({"code": "ZRHX"}), "`code` is invalid: the length must be at most 3"),
    ] {
        let refused = refused(&instead).unwrap();
        assert!(refused.contains(told), "{refused}");
    }
}
