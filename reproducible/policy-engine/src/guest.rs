//! One policy in the engine, asked as the Kata agent asks (kata-containers, src/agent/policy/src/policy.rs, read beside
//! this file): the order of the steps, and which of them refuse, are the agent's.

use json_patch::Patch;
use regorus::{Engine, LimitError, PolicyLengthConfig, Value};
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroUsize};

/// Limits that the agent gives its engine since Kata 4; regorus' own (1,024 columns) refuse genuine policies.
const MAX_COLUMNS: u32 = 64 * 1024;
const MAX_BYTES: usize = 16 * 1024 * 1024;
const MAX_LINES: usize = 200_000;
/// Ours: ops of genuine rules have some hundred bytes.
const MAX_OPS_BYTES: usize = 256 * 1024;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rego {
    V0,
    V1,
}

/// What the rule said. `Refused`: the agent refuses. `Limit`: nobody can say, because the guest has not this limit.
pub enum Decision {
    Allowed(Vec<serde_json::Value>),
    Denied,
    Refused(String),
    Limit(String),
}

pub struct Answer {
    pub decision: Decision,
    pub prints: Vec<String>,
}

#[derive(Deserialize)]
struct MetadataResponse {
    allowed: bool,
    ops: Option<Patch>,
}

/// A policy that was read, and has not been asked yet.
pub struct Policy {
    engine: Engine,
}

impl Policy {
    pub fn load(rego: Rego, text: String) -> Result<Policy, String> {
        let mut engine = Engine::new();
        engine.set_rego_v0(matches!(rego, Rego::V0));
        engine.set_strict_builtin_errors(false);
        engine.set_gather_prints(true);
        engine.set_policy_length_config(PolicyLengthConfig {
            max_col: const { NonZeroU32::new(MAX_COLUMNS).unwrap() },
            max_file_bytes: const { NonZeroUsize::new(MAX_BYTES).unwrap() },
            max_lines: const { NonZeroUsize::new(MAX_LINES).unwrap() },
        });
        engine.add_policy("agent_policy".to_string(), text).map_err(in_words)?;
        Ok(Policy { engine })
    }

    /// A new engine with this policy and this state, as JSON.
    pub fn begin(&self, state: &str) -> Result<Session, String> {
        let mut engine = self.engine.clone();
        engine.add_data_json(state).map_err(in_words)?;
        Ok(Session { engine, next: None })
    }
}

/// One engine and its state.
pub struct Session {
    engine: Engine,
    /// The state that the last question's ops make.
    next: Option<serde_json::Value>,
}

impl Session {
    /// Asks one rule. The state stays as it is until `commit`.
    pub fn ask(&mut self, endpoint: &str, input: &str) -> Answer {
        self.next = None;
        let decision = self.decide(endpoint, input);
        let prints = self.engine.take_prints().unwrap_or_default();
        Answer { decision, prints }
    }

    /// The last question's ops become the state, as they do in the agent before the request is carried out.
    pub fn commit(&mut self) -> Result<(), String> {
        let Some(state) = self.next.take() else { return Ok(()) };
        self.engine.clear_data();
        self.engine.add_data_json(&state.to_string()).map_err(in_words)
    }

    /// All data of the engine, as JSON.
    pub fn state(&self) -> Result<String, String> {
        serde_json::to_string(&self.engine.get_data()).map_err(|e| e.to_string())
    }

    fn decide(&mut self, endpoint: &str, input: &str) -> Decision {
        if let Err(error) = self.engine.set_input_json(input) {
            return Decision::Refused(format!("engine error: input: {}", in_words(error)));
        }
        let results = match self.engine.eval_query(format!("data.agent_policy.{endpoint}"), false) {
            Ok(results) => results.result,
            Err(error) => return failed(error),
        };
        let [result] = results.as_slice() else {
            return Decision::Refused(match results.len() {
                0 => "no result: the policy has no such rule, or it is undefined for this request".to_string(),
                n => format!("{n} results"),
            });
        };
        let [expression] = result.expressions.as_slice() else {
            return Decision::Refused(format!("{} expressions in the result", result.expressions.len()));
        };
        match &expression.value {
            Value::Bool(true) => Decision::Allowed(Vec::new()),
            Value::Bool(false) => Decision::Denied,
            Value::Object(_) => self.metadata(&expression.value),
            other => Decision::Refused(format!("the result is {}, not a boolean or an object", kind(other))),
        }
    }

    /// An object says `allowed`, and how the state changes.
    fn metadata(&mut self, value: &Value) -> Decision {
        let text = match serde_json::to_string(value) {
            Ok(text) => text,
            Err(error) => return Decision::Refused(format!("the result is no JSON: {error}")),
        };
        let response: MetadataResponse = match serde_json::from_str(&text) {
            Ok(response) => response,
            Err(error) => return Decision::Refused(format!("the result is not {{allowed, ops}}: {error}")),
        };
        match (response.allowed, response.ops) {
            (false, _) => Decision::Denied,
            (true, None) => Decision::Allowed(Vec::new()),
            (true, Some(ops)) => self.patched(&ops).unwrap_or_else(|decision| decision),
        }
    }

    fn patched(&mut self, ops: &Patch) -> Result<Decision, Decision> {
        let bug = |e: serde_json::Error| Decision::Limit(format!("ops: {e}"));
        let list = serde_json::to_value(ops).map_err(bug)?;
        if list.to_string().len() > MAX_OPS_BYTES {
            return Err(Decision::Limit(format!("the ops have more than {MAX_OPS_BYTES} bytes")));
        }
        let mut state = serde_json::to_value(self.engine.get_data()).map_err(bug)?;
        json_patch::patch(&mut state, ops)
            .map_err(|e| Decision::Refused(format!("patch error: {}", short(&e.to_string()))))?;
        if !state.is_object() {
            // The agent clears its data before it finds that this cannot be put back: what follows is another state.
            return Err(Decision::Limit(
                "the ops replace all data by something that is no object".to_string(),
            ));
        }
        self.next = Some(state);
        let serde_json::Value::Array(list) = list else {
            return Err(Decision::Limit("the ops are no list".to_string()));
        };
        Ok(Decision::Allowed(list))
    }
}

/// regorus 0.10 refuses compiled patterns over 100 KiB, which the guest's does not: no answer is made of that.
fn failed(error: anyhow::Error) -> Decision {
    if error.downcast_ref::<LimitError>().is_some() {
        return Decision::Limit(format!("limit of this engine: {}", in_words(error)));
    }
    Decision::Refused(format!("engine error: {}", in_words(error)))
}

/// Of a message that quotes a line of 64 KiB, its place is the beginning and its reason is the end.
const MAX_MESSAGE: (usize, usize) = (200, 400);

fn in_words(error: anyhow::Error) -> String {
    short(error.to_string().trim())
}

/// Beginning and end of a long text, and that it is one.
pub fn short(text: &str) -> String {
    let (head, tail) = MAX_MESSAGE;
    let length = text.chars().count();
    if length <= head + tail {
        return text.to_string();
    }
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{begin} ... ({} characters left out) ... {end}", length - head - tail)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Set(_) => "a set",
        Value::Object(_) => "an object",
        Value::Undefined => "undefined",
    }
}
