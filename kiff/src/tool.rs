//! The actions of a domain as tool definitions, ready to be given to an agent.

mod description;
mod input;
mod pattern;
mod rule;
mod written;

use std::fmt;
use std::str::FromStr;

use crate::bounds::Bounds;
use crate::executor::Executable;
use crate::json::Excerpt;
use crate::probe::Shapes;

use description::Hints;
use input::Input;

/// The actions of a domain as tool definitions in one dialect.
///
/// ```
/// use kiff::{Cents, Dialect, Failure, Tools, action, domain, tools};
///
/// # domain! {
/// #     pub domain Refund governs Order;
/// #     roles { Agent: agent, Operator: human, Shop: system }
/// #     states { Paid, final Refunded }
/// #     events {
/// #         OrderPaid { total: Cents } reported by Shop;
/// #         OrderRefunded { amount: Cents };
/// #     }
/// #     transitions {
/// #         OrderPaid: new => Paid;
/// #         OrderRefunded: Paid => Refunded;
/// #     }
/// #     actions { RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator }; }
/// #     allow { Paid => [RefundOrder]; }
/// # }
/// /// Pays the customer back.
/// #[action(Refund::RefundOrder)]
/// async fn refund_order(#[param(range(min = 1, max = 1_000_000))] amount: Cents) -> Result<OrderRefunded, Failure> {
///     Ok(OrderRefunded { amount })
/// }
///
/// // No `serde_json::Value`, which would sort what each tool takes by name.
/// #[derive(serde::Serialize)]
/// struct Request {
///     model: &'static str,
///     tools: Tools,
/// }
///
/// let tools = tools::<Refund>(Dialect::Anthropic)?.with_entity("order_id")?;
/// let request = serde_json::to_string(&Request { model: "…", tools })?;
///
/// assert!(request.contains(r#"{"name":"REFUND_ORDER","description":"Pays the customer back."#));
/// assert!(request.contains(r#""input_schema":{"type":"object","properties":{"order_id":{"#));
/// assert!(request.contains(r#""required":["order_id","amount"]"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A tool is named as its action is on the wire, so that what an agent calls can be handed to the gate as a
/// [`Call`](crate::Call) as it is. Its description is the doc comment of the action in the block or, where there is none, of
/// the executor, followed by the action's risk, its states and its approval.
///
/// The parameters are a JSON Schema (2020-12): what the type of each says by `schemars::JsonSchema`, version 1, its
/// `#[param(..)]` rules and its doc comment. A type that does not implement `JsonSchema` may be anything there. The gate
/// takes nobody's word for it that a schema was kept: it reads each parameter by the `Deserialize` of its type and holds it to
/// its rules.
///
/// It is serialised as the list of the tools, in the order of the block, and displayed as the same in lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Tools {
    dialect: Dialect,
    entity_type: &'static str,
    list: Vec<Tool>,
}

/// One action, as an agent is told of it.
#[derive(Debug, Clone, PartialEq)]
struct Tool {
    name: &'static str,
    title: String,
    description: String,
    input: Input,
    hints: Hints,
}

/// The actions of a domain as tool definitions; see [`Tools`].
///
/// # Errors
/// [`ToolError::Name`] when an action's name on the wire is none that agents accept, and [`ToolError::Parameter`] when that of a
/// parameter is none.
pub fn tools<D: Executable>(dialect: Dialect) -> Result<Tools, ToolError> {
    for action in D::actions() {
        let contract = action.contract();
        if !is_accepted(&contract.name, IN_TOOL) {
            return Err(ToolError::Name(contract.name.to_string()));
        }
        if let Some(unfit) = contract.parameters.iter().find(|parameter| !is_accepted(&parameter.name, IN_PROPERTY)) {
            return Err(ToolError::Parameter { action: contract.name.to_string(), name: unfit.name.to_string() });
        }
    }
    Ok(described::<D>(dialect))
}

/// The same, whatever the actions are called: for readers that are no agents.
pub(crate) fn described<D: Executable>(dialect: Dialect) -> Tools {
    let schema = D::schema();
    let list = D::actions().iter().map(|action| {
        let (contract, entry) = (action.contract(), action.entry());
        let name = contract.name.as_ref();
        let mut shapes = Shapes::new();
        entry.shapes(&mut shapes);
        let title = description::title(name);
        let otherwise = format!("{title}.");
        let documentation = [contract.documentation.as_ref(), entry.documentation(), &otherwise];
        let documentation = documentation.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        Tool {
            name,
            description: description::of(documentation, contract, &schema.entity_type),
            title,
            input: Input::new(&contract.parameters, shapes),
            hints: Hints::new(contract, &schema.transitions),
        }
    });
    Tools { dialect, entity_type: &schema.entity_type, list: list.collect() }
}

impl Tools {
    /// No tools: those of entities of which nothing can be changed here.
    #[cfg(feature = "http")]
    pub(crate) const fn none(dialect: Dialect, entity_type: &'static str) -> Self {
        Self { dialect, entity_type, list: Vec::new() }
    }

    /// Adds a required property to each tool, by which the agent says which entity it means: its id.
    ///
    /// The gate takes the entity apart from the parameters: take the property out before the rest is proposed.
    ///
    /// # Errors
    /// [`ToolError::Property`] when agents accept no property of that name, and [`ToolError::Entity`] when an action has a parameter
    /// of that name.
    pub fn with_entity(mut self, name: &str) -> Result<Self, ToolError> {
        if !is_accepted(name, IN_PROPERTY) {
            return Err(ToolError::Property(name.to_owned()));
        }
        for tool in &mut self.list {
            if tool.input.has(name) {
                return Err(ToolError::Entity { action: tool.name.to_owned(), name: name.to_owned() });
            }
            let schema = serde_json::json!({
                "type": "string",
                "description": format!("The id of the {} to act on. At most {} bytes.", self.entity_type, Bounds::IDENTIFIER),
                "minLength": 1,
                "maxLength": Bounds::IDENTIFIER,
                "pattern": IDENTIFIER,
            });
            tool.input.require_first(name.to_owned(), schema);
        }
        Ok(self)
    }
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // INVARIANT: plain data with text keys always encodes.
        f.write_str(&serde_json::to_string_pretty(self).unwrap_or_default())
    }
}

/// What every id looks like that can be asked for: neither `.` nor `..`, and without control characters.
const IDENTIFIER: &str = r"^(?:\.{0,2}[^.\x00-\x1f\x7f-\x9f]|\.{3})[^\x00-\x1f\x7f-\x9f]*$";

/// What the name of a tool may hold beside letters and digits.
const IN_TOOL: &[u8] = b"_-";

/// The same of a property.
const IN_PROPERTY: &[u8] = b"_.-";

/// Whether all agents accept that name, which may hold such marks.
fn is_accepted(name: &str, marks: &[u8]) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_fit)
}

/// Whose form a tool definition has.
///
/// ```
/// use kiff::Dialect;
///
/// assert_eq!("openai".parse::<Dialect>()?, Dialect::OpenAi);
/// # Ok::<(), kiff::DialectError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// `tools` of `OpenAI`'s chat API and of the many that imitate it.
    OpenAi,
    /// `tools` of `OpenAI`'s responses API.
    OpenAiResponses,
    /// `tools` of Anthropic's messages API.
    Anthropic,
    /// `tools` in the answer to `tools/list` of the Model Context Protocol.
    Mcp,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::OpenAiResponses, Self::Anthropic, Self::Mcp];

    /// The word for it: `openai`, `openai-responses`, `anthropic` or `mcp`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::OpenAiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Mcp => "mcp",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == text).ok_or(DialectError(()))
    }
}

/// A word is no [`Dialect`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DialectError(());

impl fmt::Display for DialectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialects = Dialect::ALL.map(|dialect| format!("`{dialect}`"));
        write!(f, "no dialect of tools that is known: write {}", dialects.join(" or "))
    }
}

crate::debug::debug_as_message!(DialectError);

impl std::error::Error for DialectError {}

/// A domain's actions cannot be tools as they are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolError {
    /// An action's name on the wire, which agents do not accept.
    Name(String),
    /// A parameter's name, which agents do not accept.
    Parameter {
        /// The action's name on the wire.
        action: String,
        /// The name of the parameter.
        name: String,
    },
    /// The name of the property for the entity, which agents do not accept.
    Property(String),
    /// The property for the entity is also a parameter.
    Entity {
        /// The action's name on the wire.
        action: String,
        /// The name of the property.
        name: String,
    },
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "agents accept no tool that is called `{name}`: give the action a name on the wire of 1 to 64 letters (a to \
                 z), digits, `_` and `-`"
            ),
            Self::Parameter { action, name } => write!(
                f,
                "agents accept no parameter that is called `{name}`, as `{action}` has one: give it a name of 1 to 64 letters \
                 (a to z), digits and `_`"
            ),
            Self::Property(name) => write!(
                f,
                "agents accept no property that is called `{}`: give it a name of 1 to 64 letters (a to z), digits, `_`, `.` \
                 and `-`",
                Excerpt(name)
            ),
            Self::Entity { action, name } => {
                write!(f, "`{name}` cannot say which entity is meant: `{action}` has a parameter of that name")
            }
        }
    }
}

crate::debug::debug_as_message!(ToolError);

impl std::error::Error for ToolError {}
