//! Tool definitions: whole, in the form of each kind of agent, and as strict as the gate.

use jsonschema::Validator;
use kiff::{Call, Dialect, EntityKey, Executable, ReasonCode, Runtime, Schema, ToolError, Verdict, tools};
use kiff_test::proptest::prelude::TestCaseError;
use kiff_test::proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use pollster::block_on;
use serde_json::{Value, json};

use crate::{examples, shop};
use gallery::Gallery;

mod gallery;
mod instances;
#[path = "../../examples/mission/domain.rs"]
mod mission;
mod shapes;

/// The tools as any reader of JSON sees them.
fn written<D: Executable>(dialect: Dialect) -> Vec<Value> {
    let text = tools::<D>(dialect).unwrap().with_entity("entity_id").unwrap().to_string();
    serde_json::from_str(&text).unwrap()
}

/// The tool of that name, as it stands in the model context protocol.
fn tool<D: Executable>(name: &str) -> Value {
    let tools = serde_json::to_value(tools::<D>(Dialect::Mcp).unwrap()).unwrap();
    tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap().clone()
}

/// The domain of the mission as data.
pub(crate) fn mission() -> &'static Schema {
    mission::Mission::schema()
}

fn check_domain<D: Executable>() {
    for dialect in Dialect::ALL {
        let tools = written::<D>(dialect);
        assert_eq!(tools.len(), D::actions().len());
        check_form(dialect, &tools, "entity_id");
    }
}

fn check_form(dialect: Dialect, tools: &[Value], entity: &str) {
    let form = jsonschema::validator_for(&shapes::tool(dialect)).unwrap();
    for tool in tools {
        let faults: Vec<_> = form.iter_errors(tool).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?} in {tool:#}");
        let schema = shapes::parameters(dialect, tool);
        if let Err(fault) = jsonschema::draft202012::meta::validate(schema) {
            panic!("{fault} in {schema:#}");
        }
        assert_eq!(schema["required"][0], entity);
    }
}

#[test]
fn the_definitions_have_the_form_that_agents_expect() {
    check_domain::<mission::Mission>();
    check_domain::<shop::Refund>();
    check_domain::<Gallery>();
}

#[test]
fn the_refund_example_prints_its_tools() {
    for dialect in Dialect::ALL {
        let text = examples::printed("refund", &["--tools", dialect.as_str()]);
        let tools: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(tools.len(), 2);
        check_form(dialect, &tools, "order_id");
    }
}

#[test]
fn a_tool_says_what_its_action_is_for_and_what_holds_it_back() {
    let refund = tool::<shop::Refund>("REFUND_ORDER");
    assert_eq!(
        refund["description"],
        "Pays the customer back. High risk. Possible while the Order is PAID. Needs the approval of operator (human)."
    );
    assert_eq!(refund["title"], "Refund order");
    let hints = |tool: Value| {
        let hints = &tool["annotations"];
        ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]
            .map(|hint| hints[hint].as_bool().unwrap())
    };
    assert_eq!(hints(refund), [false, true, true, true]);
    assert_eq!(hints(tool::<shop::Refund>("ADD_NOTE")), [false, false, false, false]);
    assert_eq!(hints(tool::<shop::Refund>("EXPORT_ORDER")), [false, true, false, true]);
    let look = tool::<Gallery>("LOOK");
    assert_eq!(
        look["description"],
        "Looks around.\n\nIt is said in the block.\n\nLow risk. Possible while the Room is OPEN."
    );
    assert_eq!(hints(look), [true, false, true, false]);
}

#[test]
fn parameters_stand_in_the_order_of_the_signature_after_the_entity() {
    let text = tools::<shop::Refund>(Dialect::OpenAi).unwrap().with_entity("order_id").unwrap().to_string();
    let (_, refund) = text.split_once("REFUND_ORDER").unwrap();
    let places = ["\"order_id\": {", "\"amount\": {", "\"reason\": {"].map(|name| refund.find(name).unwrap());
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn what_an_identifier_may_take_is_told_in_bytes() {
    let tools = tools::<shop::Refund>(Dialect::Mcp).unwrap().with_entity("order_id").unwrap().to_string();
    assert!(tools.contains("\"The id of the Order to act on. At most 256 bytes.\""), "{tools}");
}

#[test]
fn what_the_schema_refuses_of_an_id_the_gate_refuses_too() {
    let tools = tools::<shop::Refund>(Dialect::Anthropic).unwrap().with_entity("order_id").unwrap();
    let tools = serde_json::to_value(tools).unwrap();
    let schema = jsonschema::validator_for(&tools[0]["input_schema"]["properties"]["order_id"]).unwrap();
    for id in ["ord-1", "größe 漢", "...", "..a", ".a", "a..", &"x".repeat(256)] {
        assert!(schema.is_valid(&json!(id)) && EntityKey::new("Order", id).is_ok(), "{id}");
    }
    for id in ["", "a\nb", "..\n", "\0", "a\u{7f}", "\u{9f}a", &"x".repeat(257)] {
        assert!(!schema.is_valid(&json!(id)) && EntityKey::new("Order", id).is_err(), "{id:?}");
    }
    // No address leads to these, which are refused where they come in.
    assert!(![".", ".."].into_iter().any(|id| schema.is_valid(&json!(id))));
}

#[test]
fn types_and_rules_and_comments_become_one_schema() {
    let hang = tool::<Gallery>("HANG_PICTURE");
    let schema = |name: &str| hang["inputSchema"]["properties"][name].clone();
    assert_eq!(
        schema("title"),
        json!({ "type": "string", "pattern": "^(?:[A-Z][a-z]+|untitled)$", "description": "What it is called." })
    );
    assert_eq!(schema("width"), json!({ "type": "integer", "minimum": 1, "maximum": 500 }));
    assert_eq!(schema("height"), json!({ "type": ["integer", "null"], "minimum": -2_147_483_648_i64, "maximum": 300 }));
    assert_eq!(schema("serial"), json!({ "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_u64 }));
    assert_eq!(schema("weight"), json!({ "type": "number", "minimum": 0, "maximum": 90 }));
    let largest = 9_007_199_254_740_991_i64;
    assert_eq!(schema("tilt"), json!({ "type": "number", "minimum": -largest, "maximum": largest }));
    assert_eq!(schema("tags"), json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 3 }));
    assert_eq!(schema("frame")["oneOf"][0], json!({ "const": "none", "type": "string", "description": "As it came." }));
    assert_eq!(schema("until")["format"], "date");
    assert_eq!(schema("place")["type"], json!(["object", "null"]));
    assert_eq!(schema("insured")["description"], "For how much. An amount in the currency's minor unit: 999 is 9.99.");
    assert_eq!(
        schema("code"),
        json!({
            "type": ["string", "null"], "maxLength": 8, "description": "Must match the regular expression `(?i)[a-z]+` as a whole."
        })
    );
    assert_eq!(
        schema("short"),
        json!({
            "type": ["string", "null"], "minLength": 2, "maxLength": 8, "description": "A text that is at most eight letters long."
        })
    );
    assert_eq!(hang["inputSchema"]["$defs"]["Part"]["properties"]["parts"]["items"]["$ref"], "#/$defs/Part");
}

#[test]
fn a_type_that_does_not_say_what_it_is_may_be_anything() {
    let hang = tool::<Gallery>("HANG_PICTURE");
    assert_eq!(hang["inputSchema"]["properties"]["note"], json!({ "description": "Whatever comes to mind." }));
}

#[test]
fn what_agents_would_not_accept_is_refused() {
    let fault = tools::<shop::Refund>(Dialect::Mcp).unwrap().with_entity("amount").unwrap_err();
    assert_eq!(fault, ToolError::Entity { action: "REFUND_ORDER".to_owned(), name: "amount".to_owned() });
    assert!(fault.to_string().contains("`REFUND_ORDER` has a parameter of that name"), "{fault}");
    let fault = tools::<gallery::attic::Attic>(Dialect::Mcp).unwrap_err();
    assert_eq!(fault, ToolError::Name("attic.tidy-up".to_owned()));
    let fault = "chat".parse::<Dialect>().unwrap_err().to_string();
    assert!(fault.contains("`openai` or `openai-responses` or `anthropic` or `mcp`"), "{fault}");
}

#[test]
fn a_property_has_a_name_that_agents_accept() {
    let fault = tools::<gallery::tailor::Tailor>(Dialect::Anthropic).unwrap_err();
    assert_eq!(fault, ToolError::Parameter { action: "CUT_COAT".to_owned(), name: "größe".to_owned() });
    assert!(fault.to_string().starts_with("agents accept no parameter that is called `größe`"), "{fault}");
    let tools = || tools::<shop::Refund>(Dialect::Anthropic).unwrap();
    for name in ["order_id", "order.id-2", &"x".repeat(64)] {
        assert!(tools().with_entity(name).is_ok(), "{name}");
    }
    for name in ["", "order id", "größe", &"x".repeat(65)] {
        let fault = tools().with_entity(name).unwrap_err();
        assert_eq!(fault, ToolError::Property(name.to_owned()));
        assert!(fault.to_string().ends_with("1 to 64 letters (a to z), digits, `_`, `.` and `-`"), "{fault}");
    }
}

/// What the gate refuses the parameters for, if it does.
fn refusal<D: Executable>(
    runtime: &Runtime<D>,
    key: &EntityKey,
    action: &str,
    parameters: &Value,
) -> Option<ReasonCode> {
    let agent = shop::people().agent;
    match block_on(runtime.evaluate(&agent, key, Call::new(action, parameters.to_string()))).unwrap() {
        Verdict::Invalid(refusal) => Some(refusal.code),
        Verdict::Blocked(refusal) => {
            assert_eq!(refusal.code, ReasonCode::PermissionDenied, "{refusal}");
            None
        }
        Verdict::Allowed(()) | Verdict::ApprovalRequired(_) => None,
    }
}

/// What the schema accepts passes the gate; what it refuses for one reason is refused by the gate for the same.
fn check_round_trip<D: Executable>(runtime: &Runtime<D>, key: impl Fn(&str) -> EntityKey) {
    for tool in serde_json::to_value(tools::<D>(Dialect::Anthropic).unwrap()).unwrap().as_array().unwrap() {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["input_schema"]);
        let (key, validator) = (key(name), jsonschema::validator_for(schema).unwrap());
        let check = |instance| check_instance(runtime, &key, name, schema, &validator, &instance);
        if let Err(fault) = runner().run(&instances::of(schema), check) {
            panic!("{name}: {fault}");
        }
    }
}

/// The same cases in every run.
fn runner() -> TestRunner {
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn check_instance<D: Executable>(
    runtime: &Runtime<D>,
    key: &EntityKey,
    action: &str,
    schema: &Value,
    validator: &Validator,
    instance: &Value,
) -> Result<(), TestCaseError> {
    if let Err(fault) = validator.validate(instance) {
        return Err(TestCaseError::fail(format!("the generator is wrong: {fault}: {instance}")));
    }
    let refused = refusal(runtime, key, action, instance);
    if let Some(code) = refused {
        return Err(TestCaseError::fail(format!("{code}: {instance}")));
    }
    for mutant in instances::mutants(schema, instance) {
        let refused = refusal(runtime, key, action, &mutant.instance);
        if refused != Some(mutant.code) || validator.is_valid(&mutant.instance) {
            return Err(TestCaseError::fail(format!("{}: {refused:?}: {}", mutant.what, mutant.instance)));
        }
    }
    Ok(())
}

#[test]
fn what_the_schema_accepts_passes_the_gate_and_what_it_refuses_does_not() {
    let shop = shop::open();
    let (created, paid) = (block_on(shop::place(&shop, "ord-1")), block_on(shop::paid(&shop, "ord-2")));
    check_round_trip(&shop, |action| if action == "MARK_PAID" { created.clone() } else { paid.clone() });

    let (gallery, room) = gallery::open();
    check_round_trip(&gallery, |_| room.clone());
}
