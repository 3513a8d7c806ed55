//! A domain as data: what other tools list, compare and draw.

use kiff::{ApprovalRule, Domain, List, Schema};

use crate::shop::Refund;

#[test]
fn a_schema_comes_back_from_its_document() {
    let schema = Refund::schema();
    let document = schema.to_json();
    assert_eq!(&Schema::from_json(&document).unwrap(), schema);
    let json: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(json["kiff_schema"], 1);
    assert_eq!(json["fingerprint"], schema.fingerprint().to_string());
    let refund = &json["schema"]["actions"][1];
    assert_eq!((refund["name"].as_str(), refund["risk"].as_str()), (Some("REFUND_ORDER"), Some("high")));
    assert_eq!(refund["approval"]["by"]["roles"][0]["name"], "operator");
    assert_eq!(refund["parameters"][0]["rules"][0]["range"]["max"], 1_000_000);

    let newer = document.replacen("\"kiff_schema\": 1", "\"kiff_schema\": 2", 1);
    assert!(Schema::from_json(&newer).unwrap_err().to_string().contains("version 2"));
    let edited = document.replacen("1000000", "9000000", 1);
    assert!(Schema::from_json(&edited).unwrap_err().to_string().contains("edited by hand"));
}

#[test]
fn a_waiver_stands_in_the_schema_with_its_reason() {
    let export = Refund::ExportOrder.contract();
    assert_eq!(serde_json::to_value(&export.approval).unwrap()["waived"]["reason"], "it only reads");
}

#[test]
fn the_permission_to_settle_is_named_by_the_domain_whatever_dots_it_has() {
    let mut schema = Refund::schema().clone();
    let mut contract = schema.action("REFUND_ORDER").unwrap().clone();
    for (domain, run, settle) in [
        ("refund", "refund.refund_order", "refund.settle_refund_order"),
        ("refund.desk", "refund.desk.refund_order", "refund.desk.settle_refund_order"),
        ("refund", "desk.refund", "refund.settle_desk.refund"),
    ] {
        schema.domain = domain.into();
        contract.permission.name = run.into();
        assert_eq!(contract.settlement(&schema).name, settle);
    }
}

#[test]
fn the_fingerprint_ignores_order_and_words_and_nothing_else() {
    let schema = Refund::schema();
    let print = schema.fingerprint();

    let mut shuffled = schema.clone();
    shuffled.roles = turned(&schema.roles);
    shuffled.states = turned(&schema.states);
    shuffled.events = turned(&schema.events);
    shuffled.transitions = turned(&schema.transitions);
    shuffled.actions = turned(&schema.actions);
    for action in shuffled.actions.to_mut() {
        action.documentation = "in other words".into();
        action.parameters = turned(&action.parameters);
        action.allowed_in = turned(&action.allowed_in);
        action.permission.roles = turned(&action.permission.roles);
    }
    shuffled.documentation = "in other words".into();
    assert_eq!(shuffled.fingerprint(), print);

    // Every leaf of the document is governance, but for the documentation: changing any one changes the fingerprint.
    let document = serde_json::to_value(schema).unwrap();
    let mut leaves = Vec::new();
    collect(&document, &mut Vec::new(), &mut leaves);
    assert!(leaves.len() > 100, "{}", leaves.len());
    let mut no_schemas = Vec::new();
    for path in leaves {
        let mut changed = document.clone();
        let leaf = path.iter().try_fold(&mut changed, |value, step| value.pointer_mut(&format!("/{step}"))).unwrap();
        let other = other_than(leaf);
        *leaf = other;
        let Ok(changed) = serde_json::from_value::<Schema>(changed) else {
            no_schemas.push(path.join("/"));
            continue;
        };
        let documentation = path.last().is_some_and(|step| step == "documentation");
        assert_eq!(changed.fingerprint() == print, documentation, "{path:?}");
    }
    // An approval that nobody has to give is a word; any other is more than that.
    assert_eq!(no_schemas, ["actions/0/approval", "actions/2/approval"]);
    let by = schema.action("REFUND_ORDER").unwrap().approval.clone();
    assert!(matches!(by, ApprovalRule::By(_)), "{by:?}");
    for (name, approval) in
        [("MARK_PAID", by), ("REFUND_ORDER", ApprovalRule::None), ("EXPORT_ORDER", ApprovalRule::None)]
    {
        let mut changed = schema.clone();
        let action = changed.actions.to_mut().iter_mut().find(|action| action.name == name).unwrap();
        action.approval = approval;
        assert_ne!(changed.fingerprint(), print, "{name}");
    }
}

fn turned<T: Clone>(items: &List<T>) -> List<T> {
    items.iter().rev().cloned().collect()
}

fn collect(value: &serde_json::Value, path: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    let steps: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Array(items) => {
            items.iter().enumerate().map(|(place, item)| (place.to_string(), item)).collect()
        }
        serde_json::Value::Object(members) => members.iter().map(|(key, item)| (key.clone(), item)).collect(),
        _ => return leaves.push(path.clone()),
    };
    for (step, item) in steps {
        path.push(step);
        collect(item, path, leaves);
        path.pop();
    }
}

/// Another value of the same sort; a word of a fixed list becomes another of that list.
pub(crate) fn other_than(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Bool(truth) => (!truth).into(),
        serde_json::Value::Number(number) => (number.as_i64().unwrap_or_default() + 1).into(),
        serde_json::Value::String(text) => match text.as_str() {
            "low" => "critical".into(),
            "high" => "medium".into(),
            "outside" => "none".into(),
            "none" => "outside".into(),
            "human" | "system" | "agent" => "service".into(),
            text => format!("{text}_").into(),
        },
        _ => "new".into(),
    }
}

#[test]
fn the_diagram_says_which_state_is_which() {
    for state in Refund::schema().states.iter() {
        let group = format!("<g data-state=\"{}\">", state.name);
        assert_eq!(<Refund as Domain>::diagram().matches(&group).count(), 1, "{group}");
    }
}
