//! What a client can call: the actions of every domain, and the tools that every server has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::bounds::Bounds;
use crate::schema::Schema;
use crate::served::Served;
use crate::tool::Dialect;

use super::{ServerError, output};

/// The tools of a server.
pub(crate) struct Catalogue {
    tools: Vec<Tool>,
    actions: BTreeMap<&'static str, Governing>,
}

/// Which domain governs an action, and what its tool's own arguments are called.
#[derive(Debug, Clone)]
pub(super) struct Governing {
    /// The place of the domain.
    pub(super) domain: usize,
    pub(super) names: Arc<Names>,
}

/// What the arguments are called that are no parameters: plain words, unless an action of the domain has a parameter of
/// that name.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) entity_id: String,
    pub(super) rationale: String,
    pub(super) approval_id: String,
    pub(super) idempotency_key: String,
}

impl Names {
    fn of(schema: &Schema) -> Self {
        let taken = |name: &str| {
            schema.actions.iter().any(|action| action.parameters.iter().any(|parameter| parameter.name == name))
        };
        let free = |name: &str| {
            let mut name = name.to_owned();
            while taken(&name) {
                name.insert_str(0, "kiff_");
            }
            name
        };
        Self {
            entity_id: free("entity_id"),
            rationale: free("rationale"),
            approval_id: free("approval_id"),
            idempotency_key: free("idempotency_key"),
        }
    }

    /// The arguments that may be left out, each with its schema.
    fn optional(&self) -> [(&String, Value); 3] {
        let identifier = |description: &str| text(description, Bounds::IDENTIFIER);
        [
            (&self.rationale, text("Why you want this, for the people who review it.", Bounds::DEFAULT.text)),
            (&self.approval_id, identifier("The approval to act under, once it is granted.")),
            (
                &self.idempotency_key,
                identifier("Your own name for this one wish: the same again under it is done once."),
            ),
        ]
    }
}

impl Catalogue {
    /// What there is to call in these domains.
    pub(crate) fn new(domains: &[Arc<dyn Served>]) -> Result<Self, ServerError> {
        let (mut tools, mut actions) = (Vec::new(), BTreeMap::new());
        let mut sorts = BTreeSet::new();
        for (domain, served) in domains.iter().enumerate() {
            let schema = served.schema();
            // A domain says who sees its entities; of two nobody can tell which.
            if !served.is_recorded() && !sorts.insert(&*schema.entity_type) {
                return Err(ServerError::TwoDomains(schema.entity_type.to_string()));
            }
            let names = Arc::new(Names::of(schema));
            let listed = served.tools(Dialect::Mcp)?.with_entity(&names.entity_id)?;
            // INVARIANT: the dialect writes what the protocol asks for.
            let listed = serde_json::to_value(listed).and_then(serde_json::from_value::<Vec<Tool>>);
            let listed = listed.map_err(|error| ServerError::broken(&error))?;
            for (mut tool, contract) in listed.into_iter().zip(schema.actions.iter()) {
                extend(Arc::make_mut(&mut tool.input_schema), &names);
                tools.push(tool.with_raw_output_schema(Arc::new(output::action(&**served, contract))));
                let governing = Governing { domain, names: Arc::clone(&names) };
                if actions.insert(contract.name.as_ref(), governing).is_some() {
                    return Err(ServerError::TwoTools(contract.name.to_string()));
                }
            }
        }
        tools.extend(Own::ALL.map(|own| own.tool(domains)));
        let own = Own::ALL.into_iter().find(|own| actions.contains_key(own.name()));
        match own {
            Some(own) => Err(ServerError::TwoTools(own.name().to_owned())),
            None => Ok(Self { tools, actions }),
        }
    }

    pub(super) fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// What the tool of that name says that it does.
    pub(super) fn description(&self, name: &str) -> &str {
        let tool = self.tools.iter().find(|tool| tool.name == name);
        tool.and_then(|tool| tool.description.as_deref()).unwrap_or_default()
    }

    /// The names of all actions.
    pub(super) fn actions(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.actions.keys().copied()
    }

    /// The domain that governs the action of that name.
    pub(super) fn governing(&self, action: &str) -> Option<&Governing> {
        self.actions.get(action)
    }
}

/// Adds the arguments that may be left out.
fn extend(input: &mut JsonObject, names: &Names) {
    if let Some(Value::Object(properties)) = input.get_mut("properties") {
        properties.extend(names.optional().map(|(name, schema)| (name.clone(), schema)));
    }
}

/// A tool that is no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    AllowedActions,
    Evaluate,
    Timeline,
    WaitForDecision,
}

impl Own {
    const ALL: [Self; 4] = [Self::AllowedActions, Self::Evaluate, Self::Timeline, Self::WaitForDecision];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AllowedActions => "allowed_actions",
            Self::Evaluate => "evaluate",
            Self::Timeline => "timeline",
            Self::WaitForDecision => "wait_for_decision",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::AllowedActions => {
                "What the entity is now, which actions its state allows, and which of them you may run."
            }
            Self::Evaluate => {
                "What would become of an action if it were called now: allowed, held for a human, or refused and why. Nothing \
                 happens and nothing goes on the record."
            }
            Self::Timeline => "Everything that is on the entity's record, in order: who did what, when and why.",
            Self::WaitForDecision => {
                "Waits until a human has answered a request for approval, or until the time is up, and says how to go on. \
                 Waiting approves nothing."
            }
        }
    }

    fn tool(self, domains: &[Arc<dyn Served>]) -> Tool {
        let (mut properties, mut required) = (serde_json::Map::new(), vec!["entity_id"]);
        let mut add = |name: &str, schema: Value| properties.insert(name.to_owned(), schema);
        add("entity_id", text("The id of the entity.", Bounds::IDENTIFIER));
        let entity_types: Vec<&str> = domains.iter().map(|served| served.schema().entity_type.as_ref()).collect();
        if entity_types.len() > 1 && self != Self::Evaluate {
            add("entity_type", json!({ "enum": entity_types, "description": "What sort of entity it is." }));
            required.push("entity_type");
        }
        match self {
            Self::AllowedActions => {}
            Self::Evaluate => {
                let actions = domains.iter().flat_map(|served| served.schema().actions.iter());
                let actions: Vec<&str> = actions.map(|action| action.name.as_ref()).collect();
                add("action", json!({ "enum": actions, "description": "The action to judge." }));
                let parameters = "What the action's tool takes. What is no parameter of the action may be left out.";
                add("parameters", json!({ "type": "object", "description": parameters }));
                add("approval_id", text("The approval to act under.", Bounds::IDENTIFIER));
                required.push("action");
            }
            Self::Timeline => {
                add("after", text("Only what stands behind this record: its `id`.", Bounds::IDENTIFIER));
                add("limit", whole("How many records at most.", 1, super::look::MOST_RECORDS));
            }
            Self::WaitForDecision => {
                add("approval_id", text("The approval that was asked for.", Bounds::IDENTIFIER));
                let seconds = "How long to wait at most. Stay below the time after which your client gives up.";
                add("timeout_seconds", whole(seconds, 0, super::wait::LONGEST));
                let wish = "The `idempotency_key` of the action, where it had one: the call that leads on has it too.";
                add("idempotency_key", text(wish, Bounds::IDENTIFIER));
                required.push("approval_id");
            }
        }
        let input = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false
        });
        let annotations = ToolAnnotations::with_title(self.title()).read_only(true).idempotent(true).open_world(false);
        Tool::new(self.name(), self.description(), object(input))
            .with_title(self.title())
            .with_annotations(annotations.destructive(false))
            .with_raw_output_schema(Arc::new(output::own(self)))
    }

    const fn title(self) -> &'static str {
        match self {
            Self::AllowedActions => "Allowed actions",
            Self::Evaluate => "Evaluate",
            Self::Timeline => "Timeline",
            Self::WaitForDecision => "Wait for a decision",
        }
    }
}

/// JSON Schema counts letters, and the gate bytes, of which one letter may take four.
fn text(description: &str, most: usize) -> Value {
    let description = format!("{description} At most {most} bytes.");
    json!({ "type": "string", "description": description, "minLength": 1, "maxLength": most })
}

fn whole(description: &str, least: u64, most: u64) -> Value {
    json!({ "type": "integer", "description": description, "minimum": least, "maximum": most })
}

/// The members of a value that was written as an object.
pub(super) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members,
        _ => JsonObject::new(),
    }
}
