//! What a request is answered, and what the state is afterwards.
use pm_policy_engine::Desk;
use serde_json::{json, Value};

fn ask(desk: &mut Desk, request: Value) -> Value {
    serde_json::from_str(&desk.answer(request.to_string().as_bytes())).expect("an answer is JSON")
}

fn begun(rego: &str, policy: &str) -> Desk {
    let mut desk = Desk::default();
    let load = json!({"op": "load", "rego": rego, "policy": format!("package agent_policy\n{policy}")});
    assert_eq!(ask(&mut desk, load), json!({"loaded": true}));
    assert_eq!(ask(&mut desk, json!({"op": "begin", "state": "{\"pstate\":{}}"})), json!({"begun": true}));
    desk
}

fn rule(desk: &mut Desk, endpoint: &str) -> Value {
    ask(desk, json!({"op": "ask", "endpoint": endpoint, "input": "{}"}))
}

#[test]
fn a_boolean_is_the_answer() {
    let mut desk = begun("v1", "A := true\nB := false");
    assert_eq!(rule(&mut desk, "A")["allowed"], json!(true));
    assert_eq!(rule(&mut desk, "B")["allowed"], json!(false));
}

#[test]
fn state_is_changed_by_commit_alone() {
    let op = r#"{"op": "add", "path": "/pstate/k", "value": 1}"#;
    let mut desk = begun("v1", &format!("A := {{\"allowed\": true, \"ops\": [{op}]}}"));
    rule(&mut desk, "A");
    let state = json!({"op": "state"});
    assert_eq!(ask(&mut desk, state.clone()), json!({"state": "{\"pstate\":{}}"}));
    ask(&mut desk, json!({"op": "commit"}));
    assert_eq!(ask(&mut desk, state), json!({"state": "{\"pstate\":{\"k\":1}}"}));
}

#[test]
fn unicode_classes_are_compiled_in() {
    let mut desk = begun("v1", "A if regex.match(`^\\w+$`, \"é\")");
    assert_eq!(rule(&mut desk, "A")["allowed"], json!(true));
}

#[test]
fn what_is_undefined_is_refused() {
    let mut desk = begun("v0", "A { false }");
    assert!(rule(&mut desk, "A")["refused"].as_str().is_some_and(|r| r.starts_with("no result")));
}

#[test]
fn a_name_is_no_query() {
    let mut desk = begun("v1", "A := false");
    assert!(rule(&mut desk, "A; true")["misuse"].is_string());
}
