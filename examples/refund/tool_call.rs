//! Tool calls as agents write them today, read into one form.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use kiff::{Bounds, Call, IdentifierError, Json, JsonError};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_json::value::RawValue;

/// A tool call as it was found in a line, with arguments that nobody has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Whose way of writing it is.
    pub format: Format,
    /// The number that the agent's host gave it, under which it waits for an answer.
    pub id: Option<Id>,
    /// The tool, as the agent calls it.
    pub name: String,
    /// The arguments, as JSON text.
    pub arguments: String,
    /// What the agent said along with it.
    pub rationale: Option<String>,
    /// The member that it lacks; what is missing is empty above.
    pub missing: Option<&'static str>,
}

/// The ways in which a tool call is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A `tool_calls` message of `OpenAI`'s chat API, or one of its items.
    OpenAiChat,
    /// A `function_call` item of `OpenAI`'s Responses API.
    OpenAiResponses,
    /// A `tool_use` block of Anthropic's, or a message that holds some.
    Anthropic,
    /// A `tools/call` request of the Model Context Protocol, or its `params`.
    Mcp,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenAiChat => "OpenAI chat",
            Self::OpenAiResponses => "OpenAI Responses",
            Self::Anthropic => "Anthropic",
            Self::Mcp => "MCP",
        })
    }
}

/// What a tool call asks for: an order, and an action with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The order's id.
    pub order: String,
    /// The action, by its wire name, and its parameters.
    pub call: Call,
}

/// Finds the tool calls in one line.
///
/// # Errors
/// [`Fault`] when the line is no JSON that kiff accepts, or holds no tool call of a known form.
pub fn read(line: &str, bounds: &Bounds) -> Result<Vec<ToolCall>, Fault> {
    let json = Json::parse(line, bounds).map_err(Fault::Json)?;
    if !json.as_str().starts_with('{') {
        return Err(Fault::NotAnObject);
    }
    let item: Item = json.decode().map_err(Fault::Shape)?;
    match (item.kind.as_deref(), item.method.as_deref()) {
        (_, Some("tools/call")) => {
            let call = match item.params {
                Some(params) => params.mcp(),
                None => call(Format::Mcp, None, None, "params"),
            };
            Ok(vec![ToolCall { id: item.id, ..call }])
        }
        (_, Some(method)) => Err(Fault::OtherMethod(method.to_owned())),
        (Some("function_call"), None) => Ok(vec![item.open_ai_responses()]),
        (Some("tool_use"), None) => Ok(vec![item.anthropic()]),
        _ if item.tool_calls.is_some() => item.open_ai_chat_message(),
        _ if item.function.is_some() => Ok(vec![item.open_ai_chat()]),
        _ if item.content.is_some() => item.anthropic_message(),
        _ if item.name.is_some() => Ok(vec![item.mcp()]),
        _ => Err(Fault::NoToolCall),
    }
}

impl ToolCall {
    /// Reads the arguments: `order_id` says which order, the rest are the parameters, untouched.
    ///
    /// # Errors
    /// [`Fault`] when the call lacks something, or its arguments are no JSON object that kiff accepts, or name no order.
    pub fn request(&self, bounds: &Bounds) -> Result<Request, Fault> {
        if let Some(member) = self.missing {
            return Err(Fault::Incomplete(member));
        }
        let arguments = Json::parameters(&self.arguments, bounds).map_err(Fault::Arguments)?;
        if !arguments.as_str().starts_with('{') {
            return Err(Fault::ArgumentsNotAnObject);
        }
        let mut parameters: BTreeMap<String, Box<RawValue>> = arguments.decode().map_err(Fault::Arguments)?;
        let order = parameters.remove("order_id").ok_or(Fault::NoOrder)?;
        let order = serde_json::from_str(order.get()).map_err(|_| Fault::OrderNotText)?;
        let parameters = Json::encode(&parameters, bounds).map_err(Fault::Arguments)?;
        Ok(Request { order, call: Call::new(wire_name(&self.name), parameters.as_str()) })
    }
}

/// Tools are often named `refund_order` where the domain says `REFUND_ORDER`; any other spelling is left as it is.
fn wire_name(name: &str) -> Cow<'_, str> {
    let is_snake_case = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_snake_case { name.to_ascii_uppercase().into() } else { name.into() }
}

/// Every member that one of the formats has; what else there is, hosts may add as they like, and nobody believes it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<Id>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<Box<RawValue>>,
    input: Option<Box<RawValue>>,
    function: Option<Box<Item>>,
    tool_calls: Option<Vec<Item>>,
    content: Option<Content>,
    text: Option<String>,
    method: Option<String>,
    params: Option<Box<Item>>,
}

/// The number of a call; the Model Context Protocol counts, the others name. It goes back as it came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Id {
    /// A name.
    Text(String),
    /// A number.
    Number(Number),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// What a message says: a text, or blocks of which some are text and some are tool calls.
#[derive(Deserialize)]
#[serde(from = "Box<RawValue>")]
enum Content {
    Text(String),
    Blocks(Vec<Item>),
    Other,
}

impl From<Box<RawValue>> for Content {
    fn from(raw: Box<RawValue>) -> Self {
        let text = serde_json::from_str(raw.get()).map(Self::Text);
        text.or_else(|_| serde_json::from_str(raw.get()).map(Self::Blocks)).unwrap_or(Self::Other)
    }
}

impl Item {
    fn open_ai_chat_message(self) -> Result<Vec<ToolCall>, Fault> {
        let rationale = self.content.and_then(Content::into_text);
        let calls = self.tool_calls.unwrap_or_default().into_iter();
        at_least_one(calls.map(|item| ToolCall { rationale: rationale.clone(), ..item.open_ai_chat() }).collect())
    }

    fn open_ai_chat(self) -> ToolCall {
        let call = match self.function {
            Some(function) => {
                let arguments = function.arguments.as_deref().map(unquoted);
                call(Format::OpenAiChat, function.name, arguments, "arguments")
            }
            None => call(Format::OpenAiChat, None, None, "function"),
        };
        ToolCall { id: self.id, ..call }
    }

    fn open_ai_responses(self) -> ToolCall {
        let arguments = self.arguments.as_deref().map(unquoted);
        let call = call(Format::OpenAiResponses, self.name, arguments, "arguments");
        ToolCall { id: self.call_id.map(Id::Text), ..call }
    }

    fn anthropic_message(self) -> Result<Vec<ToolCall>, Fault> {
        let Some(Content::Blocks(blocks)) = self.content else {
            return Err(Fault::NoToolCall);
        };
        let said: Vec<&str> = blocks.iter().filter_map(|block| block.text.as_deref()).collect();
        let rationale = (!said.is_empty()).then(|| said.join(" "));
        let uses = blocks.into_iter().filter(|block| block.kind.as_deref() == Some("tool_use"));
        at_least_one(uses.map(|block| ToolCall { rationale: rationale.clone(), ..block.anthropic() }).collect())
    }

    fn anthropic(self) -> ToolCall {
        let input = self.input.map(|input| input.get().to_owned());
        ToolCall { id: self.id, ..call(Format::Anthropic, self.name, input, "input") }
    }

    fn mcp(self) -> ToolCall {
        let arguments = self.arguments.map(|arguments| arguments.get().to_owned());
        call(Format::Mcp, self.name, arguments, "arguments")
    }
}

impl Content {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Blocks(_) | Self::Other => None,
        }
    }
}

/// A call of these parts, of which the arguments stand in a member. One that lacks a part is a call all the same: its host waits for
/// an answer to each.
fn call(format: Format, name: Option<String>, arguments: Option<String>, member: &'static str) -> ToolCall {
    let missing = arguments.is_none().then_some(member).or_else(|| name.is_none().then_some("name"));
    let (name, arguments) = (name.unwrap_or_default(), arguments.unwrap_or_default());
    ToolCall { format, id: None, name, arguments, rationale: None, missing }
}

/// The `OpenAI` formats write the arguments as a string that holds JSON; some who imitate them leave out the quotes.
fn unquoted(arguments: &RawValue) -> String {
    serde_json::from_str(arguments.get()).unwrap_or_else(|_| arguments.get().to_owned())
}

fn at_least_one(calls: Vec<ToolCall>) -> Result<Vec<ToolCall>, Fault> {
    if calls.is_empty() { Err(Fault::NoToolCall) } else { Ok(calls) }
}

/// Why a line or one of its tool calls cannot be understood.
#[derive(Debug)]
pub enum Fault {
    /// The line is no JSON that kiff accepts.
    Json(JsonError),
    /// The line is JSON and no object.
    NotAnObject,
    /// A member that every format writes in one way is written in another.
    Shape(JsonError),
    /// There is no tool call in it.
    NoToolCall,
    /// A request that is no `tools/call`; its method.
    OtherMethod(String),
    /// A tool call without this member.
    Incomplete(&'static str),
    /// The arguments are no JSON that kiff accepts.
    Arguments(JsonError),
    /// The arguments are JSON and no object.
    ArgumentsNotAnObject,
    /// The arguments name no order.
    NoOrder,
    /// The order is no string.
    OrderNotText,
    /// The order's id is none.
    Order(IdentifierError),
}

impl Fault {
    /// The fault as programs read it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "malformed_json",
            Self::NotAnObject | Self::Shape(_) | Self::NoToolCall | Self::OtherMethod(_) => "no_tool_call",
            Self::Incomplete(_) => "incomplete_tool_call",
            Self::Arguments(_) | Self::ArgumentsNotAnObject => "malformed_arguments",
            Self::NoOrder | Self::OrderNotText | Self::Order(_) => "no_order",
        }
    }

    /// What would be understood.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Json(_) => "write one JSON object in one line",
            Self::NotAnObject | Self::Shape(_) | Self::NoToolCall | Self::OtherMethod(_) => {
                "write an OpenAI `tool_calls` or `function_call`, an Anthropic `tool_use` or an MCP `tools/call`"
            }
            Self::Incomplete(_) => "write the tool call with its name and its arguments",
            Self::Arguments(_) | Self::ArgumentsNotAnObject => "write the arguments as one JSON object",
            Self::NoOrder | Self::OrderNotText => "add `order_id`, a string, to the arguments",
            Self::Order(_) => "write the `order_id` as the shop does",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the line cannot be read: {error}"),
            Self::NotAnObject => f.write_str("the line is no JSON object"),
            Self::Shape(error) => write!(f, "the line is no tool call: {error}"),
            Self::NoToolCall => f.write_str("there is no tool call in the line"),
            Self::OtherMethod(method) => write!(f, "the method is `{method}`, not `tools/call`"),
            Self::Incomplete(member) => write!(f, "the tool call has no `{member}`"),
            Self::Arguments(error) => write!(f, "the arguments cannot be read: {error}"),
            Self::ArgumentsNotAnObject => f.write_str("the arguments are no JSON object"),
            Self::NoOrder => f.write_str("the arguments have no `order_id`"),
            Self::OrderNotText => f.write_str("the `order_id` is no string"),
            Self::Order(error) => write!(f, "the `order_id` is none: {error}"),
        }
    }
}

impl std::error::Error for Fault {}
