//! Estimates what a component costs to compile, in one pass over its code, and refuses what costs too much.
//!
//! The compiler's work is not linear in the size of a function. Where control flow branches, it looks at every local variable,
//! and where it joins again, at the end of a block or the head of a loop, it makes a new value of each local variable that
//! changed on the way. So the estimate counts, for each function: its operators, the local variables once for each block and
//! branch, those that may change in a block once more, and the values that branches and calls carry. It is the same on every
//! machine.

use wasmparser::{BlockType, CompositeInnerType, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef};

use super::shape::ShapeError;

/// What a function costs beside its code, in units.
const FUNCTION: u64 = 130;
/// What an operator costs, in units.
const OPERATOR: u64 = 4;
/// What each local variable costs at each block and branch, in units.
const BRANCH: u64 = 2;
/// What each local variable that may change costs where control flow joins, in units.
const JOIN: u64 = 16;

/// What a byte of a component's types costs where components in it have code: a type of a byte may be a text, which is lifted,
/// copied and lowered for each function.
const TYPE_BYTE: u64 = 20;

/// What a target of a jump table costs beside, in units.
const TARGET: u64 = 64;
/// A value that blocks pass on costs as much as this many local variables: each block copies it.
const VALUE: u64 = 8;
/// Joins below this many blocks cost twice as much, and so on.
const DEEP: u64 = 64;

/// The most that one function may cost, in units. The compiler holds a whole function in memory. The interpreter loops of
/// JavaScript and Python engines cost up to 3.3 million.
const MAX_FUNCTION_COST: u64 = 8_000_000;
/// The most that a component may cost, in units. Interpreters of JavaScript and Python cost 10 to 70
/// million.
const MAX_COST: u64 = 160_000_000;
/// The most functions of a component. Each one takes some KiB, however small it is.
const MAX_FUNCTIONS: u64 = 100_000;
/// The most local variables of a function, parameters included. Above, the compiler's time grows with their square.
const MAX_LOCALS: u64 = 2_000;
/// The deepest nesting of blocks. Above, the compiler's time grows with its square.
const MAX_DEPTH: u64 = 4_000;
/// The deepest nesting of loops, for the same reason.
const MAX_LOOP_DEPTH: u64 = 100;

/// Estimates what a component costs to compile, in units of about a microsecond.
///
/// # Errors
///
/// Where a function or the whole component costs more than a host compiles, or the bytes cannot be read.
pub(super) fn estimate(bytes: &[u8]) -> Result<u64, ShapeError> {
    let (mut cost, mut functions) = (0, 0);
    let mut module = Module::default();
    let mut adapters = Adapters::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(ShapeError::invalid)? {
            Payload::ModuleSection { .. } => {
                adapters.enter(false);
                module = Module::default();
            }
            Payload::ComponentSection { .. } => adapters.enter(true),
            Payload::End(_) => drop(adapters.around.pop()),
            Payload::ComponentTypeSection(section) => adapters.bytes += section.range().len() as u64,
            Payload::TypeSection(groups) => {
                for group in groups {
                    for ty in group.map_err(ShapeError::invalid)?.types() {
                        let arity = match &ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Arity::of(ty),
                            _ => Arity::default(),
                        };
                        cost += 1 + arity.values() / OPERATOR;
                        module.types.push(arity);
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import.map_err(ShapeError::invalid)?.ty {
                        module.functions.push(ty);
                        module.imported += 1;
                    }
                }
            }
            Payload::FunctionSection(section) => {
                functions += u64::from(section.count());
                check("functions", functions, MAX_FUNCTIONS)?;
                for ty in section {
                    module.functions.push(ty.map_err(ShapeError::invalid)?);
                }
            }
            Payload::CodeSectionEntry(body) => cost += module.next_function(&body)?,
            // A function that crosses the component's boundary is compiled too.
            Payload::ComponentCanonicalSection(section) => cost += FUNCTION * u64::from(section.count()),
            _ => {}
        }
        check(UNITS, cost + adapters.cost(), MAX_COST)?;
    }
    Ok(cost + adapters.cost())
}

/// What the engine makes where components with code stand in a component: functions that copy what they pass each other, value by
/// value of its type.
#[derive(Default)]
struct Adapters {
    /// What is read around: components, and modules.
    around: Vec<bool>,
    /// Whether a component in the component has code.
    are_made: bool,
    /// The size of all component types, in bytes.
    bytes: u64,
}

impl Adapters {
    fn enter(&mut self, is_component: bool) {
        self.are_made |= !is_component && self.around.contains(&true);
        self.around.push(is_component);
    }

    fn cost(&self) -> u64 {
        if self.are_made { self.bytes * TYPE_BYTE } else { 0 }
    }
}

/// What a cost is called where it is too high.
const UNITS: &str = "units of work for the compiler";

fn check(what: &'static str, found: u64, max: u64) -> Result<(), ShapeError> {
    if found > max { Err(ShapeError::Costly { what, found, max }) } else { Ok(()) }
}

/// How many values a function takes and gives.
#[derive(Default, Clone, Copy)]
struct Arity {
    parameters: u64,
    results: u64,
}

impl Arity {
    fn of(ty: &FuncType) -> Self {
        Self { parameters: ty.params().len() as u64, results: ty.results().len() as u64 }
    }

    fn values(self) -> u64 {
        self.parameters + self.results
    }
}

/// What is known of a core module when its code is read.
#[derive(Default)]
struct Module {
    types: Vec<Arity>,
    /// The type of each function, imported ones first.
    functions: Vec<u32>,
    imported: usize,
    /// How many function bodies were read.
    read: usize,
}

impl Module {
    /// The arity of a type; of one that does not exist, which the compiler refuses, it is nothing.
    fn ty(&self, index: u32) -> Arity {
        self.types.get(index as usize).copied().unwrap_or_default()
    }

    fn function(&self, index: u32) -> Arity {
        self.functions.get(index as usize).map(|ty| self.ty(*ty)).unwrap_or_default()
    }

    fn block(&self, ty: BlockType) -> u64 {
        match ty {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1,
            BlockType::FuncType(index) => self.ty(index).values(),
        }
    }

    /// What the next function of the code section costs.
    fn next_function(&mut self, body: &FunctionBody<'_>) -> Result<u64, ShapeError> {
        let index = self.imported + self.read;
        self.read += 1;
        let arity = self.functions.get(index).map(|ty| self.ty(*ty)).unwrap_or_default();
        let mut locals = arity.parameters;
        for group in body.get_locals_reader().map_err(ShapeError::invalid)? {
            locals += u64::from(group.map_err(ShapeError::invalid)?.0);
        }
        let check = |what, found, max| match found > max {
            true => Err(ShapeError::CostlyFunction { index, what, found, max }),
            false => Ok(()),
        };
        check("local variables", locals, MAX_LOCALS)?;
        let mut labels = vec![Label { values: arity.results, is_loop: false, used: 0 }];
        let (mut loops, mut reads, mut writes) = (0, 0, 0);
        let mut cost = FUNCTION;
        let mut operators = body.get_operators_reader().map_err(ShapeError::invalid)?;
        while !operators.eof() {
            let operator = operators.read().map_err(ShapeError::invalid)?;
            match operator {
                Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                    let is_loop = matches!(operator, Operator::Loop { .. });
                    let used = if is_loop { reads + writes } else { writes };
                    labels.push(Label { values: self.block(blockty), is_loop, used });
                    loops += u64::from(is_loop);
                }
                Operator::LocalGet { .. } => reads += 1,
                Operator::LocalSet { .. } | Operator::LocalTee { .. } => writes += 1,
                _ => {}
            }
            check("nested blocks", labels.len() as u64, MAX_DEPTH)?;
            check("nested loops", loops, MAX_LOOP_DEPTH)?;
            let branch = |depth: u32| {
                let values = labels.iter().rev().nth(depth as usize).map_or(0, |label| label.values);
                OPERATOR + BRANCH * (locals + values)
            };
            cost += OPERATOR
                + match operator {
                    Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::Else => branch(0),
                    Operator::End => labels.pop().map_or(0, |label| {
                        loops -= u64::from(label.is_loop);
                        let used = if label.is_loop { reads + writes } else { writes };
                        // What is joined inside is joined again outside: the deeper, the costlier.
                        let again = 1 + labels.len() as u64 / DEEP;
                        JOIN * (locals.min(used - label.used) + VALUE * label.values) * again
                    }),
                    Operator::Br { relative_depth }
                    | Operator::BrIf { relative_depth }
                    | Operator::BrOnNull { relative_depth }
                    | Operator::BrOnNonNull { relative_depth } => branch(relative_depth),
                    Operator::BrTable { targets } => {
                        let mut all = branch(targets.default());
                        for target in targets.targets() {
                            all += TARGET + branch(target.map_err(ShapeError::invalid)?);
                        }
                        all
                    }
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                        OPERATOR * self.function(function_index).values()
                    }
                    Operator::CallIndirect { type_index, .. }
                    | Operator::ReturnCallIndirect { type_index, .. }
                    | Operator::CallRef { type_index }
                    | Operator::ReturnCallRef { type_index } => OPERATOR * self.ty(type_index).values(),
                    _ => 0,
                };
            check(UNITS, cost, MAX_FUNCTION_COST)?;
        }
        Ok(cost)
    }
}

/// An open block, as a branch to it sees it.
struct Label {
    /// How many values it takes and gives.
    values: u64,
    is_loop: bool,
    /// How often local variables were written before it; for a loop, written or read.
    used: u64,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn refusal(module: &str) -> String {
        let component = wat::parse_str(format!("(component (core module {module}))")).unwrap();
        estimate(&component).unwrap_err().to_string()
    }

    /// A function around some code, with local variables.
    fn function(locals: usize, code: &str) -> String {
        format!("(memory 1) (func (local {}) {code})", "i32 ".repeat(locals))
    }

    fn nested(times: usize, open: &str, inner: &str, end: &str) -> String {
        format!("{}{inner}{}", open.repeat(times), end.repeat(times))
    }

    #[test]
    fn each_kind_of_costly_function_is_refused() {
        let touch: String = (0..1_000).map(|at| format!("(local.set {at} (local.get {at}))")).collect();
        let branch = "(br_if 0 (i32.load (i32.const 0)))";
        let units = "units of work for the compiler, and this host compiles at most 8000000";
        let deep = format!("(block {})", "(block ".repeat(400) + &")".repeat(400));
        let table = format!("(br_table {} (i32.const 0))", "0 ".repeat(1_000));
        let wide = "i32 ".repeat(1_000);
        for (module, expected) in [
            (
                function(1_000, &nested(101, "loop ", &touch, "end ")),
                "101 nested loops, and this host compiles at most 100",
            ),
            (function(1_000, &format!("(loop {touch})").repeat(500)), units),
            (function(1_000, &nested(500, "(if (i32.load (i32.const 0)) (then ", &touch, "))")), units),
            (function(1_000, &format!("(block {touch} {})", branch.repeat(4_000))), units),
            (function(1, &table.repeat(130)), units),
            (function(0, &nested(4_000, "block ", &deep, "end ")), "4001 nested blocks"),
            (function(2_001, ""), "2001 local variables, and this host compiles at most 2000"),
            (
                format!(
                    "(type $wide (func (param {wide}) (result {wide}))) (import \"a\" \"b\" (func $wide (type $wide))) (func unreachable {})",
                    "call $wide ".repeat(1_100)
                ),
                "its core function 1 has",
            ),
            (
                format!(
                    "(type $wide (func (param {wide}) (result {wide}))) (func unreachable {})",
                    nested(90, "loop (type $wide) ", "", "end ")
                ),
                units,
            ),
        ] {
            let text = refusal(&module);
            assert!(text.contains(expected) && text.ends_with("split the function"), "{expected}: {text}");
        }
    }

    #[test]
    fn many_functions_are_refused_however_small_they_are() {
        let functions = "(func)".repeat(100_001);
        assert!(refusal(&functions).contains("it has 100001 functions, and this host compiles at most 100000"));
        let of_average = function(1_000, &"(loop (local.set 0 (local.get 0)))".repeat(1_000)).replace("(memory 1)", "");
        assert!(refusal(&of_average.repeat(80)).contains("and this host compiles at most 160000000: build it smaller"));
    }

    #[test]
    fn types_cost_where_components_in_the_component_have_code() {
        let types = "(type (tuple string string string))".repeat(1_000);
        let cost = |inner: &str| {
            let text = format!("(component {types} (component (component {inner})))");
            estimate(&wat::parse_str(text).unwrap()).unwrap()
        };
        assert_eq!(cost(""), 0);
        assert!(cost("(core module)") > 1_000 * TYPE_BYTE, "{}", cost("(core module)"));
    }

    #[test]
    fn shipped_policies_cost_little() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-wasm");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let components: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "wasm")).collect();
        assert!(!components.is_empty());
        for path in components {
            let cost = estimate(&std::fs::read(&path).unwrap()).unwrap();
            assert!((10_000..1_000_000).contains(&cost), "{}: {cost}", path.display());
        }
    }
}
