//! A tool in the form that each kind of agent expects.

use serde::{Serialize, Serializer};

use super::description::Hints;
use super::input::Input;
use super::{Dialect, Tool, Tools};

impl Tools {
    /// Each tool in its dialect.
    pub(crate) fn written(&self) -> impl Iterator<Item = impl Serialize> {
        self.list.iter().map(move |tool| Written::new(tool, self.dialect))
    }
}

impl Serialize for Tools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.written())
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    OpenAi {
        r#type: &'static str,
        function: Function<'a>,
    },
    OpenAiResponses {
        r#type: &'static str,
        #[serde(flatten)]
        function: Function<'a>,
    },
    Anthropic {
        name: &'a str,
        description: &'a str,
        input_schema: &'a Input,
    },
    #[serde(rename_all = "camelCase")]
    Mcp {
        name: &'a str,
        title: &'a str,
        description: &'a str,
        input_schema: &'a Input,
        annotations: Hints,
    },
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Input,
    /// The strict mode knows neither lengths nor parameters that may be left out. The gate is strict without it.
    strict: bool,
}

impl<'a> Written<'a> {
    fn new(tool: &'a Tool, dialect: Dialect) -> Self {
        let Tool { name, title, description, input, hints } = tool;
        let function = Function { name, description, parameters: input, strict: false };
        match dialect {
            Dialect::OpenAi => Self::OpenAi { r#type: "function", function },
            Dialect::OpenAiResponses => Self::OpenAiResponses { r#type: "function", function },
            Dialect::Anthropic => Self::Anthropic { name, description, input_schema: input },
            Dialect::Mcp => Self::Mcp { name, title, description, input_schema: input, annotations: *hints },
        }
    }
}
