"""Objects of compiled functions for a family of processors, made by Numba and LLVM."""

import os
from typing import Any

import llvmlite.binding as llvm

from convtool.compiled.families import Family
from convtool.compiled.functions import Types, symbol


class Objects:
    """Compiles functions to objects that a linker takes.

    Numba is told the family before it is imported, since it makes its code for the processor that
    it finds there.

    Parameters
    ----------
    family : Family
        The processors.
    """

    def __init__(self, family: Family) -> None:
        features = ",".join(f"+{feature}" for feature in family.features)
        cpu = family.name if features else llvm.get_host_cpu_name()
        if features:
            os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = cpu, features
        from numba.core import registry

        self._typing = registry.cpu_target.typing_context
        self._context = registry.cpu_target.target_context
        target = llvm.Target.from_triple(llvm.get_process_triple())
        self._machine = target.create_target_machine(
            cpu=cpu, features=features, opt=3, reloc="pic", codemodel="small"
        )

    def compile(self, name: str, types: Types) -> bytes:
        """Return the object of a function of :data:`~.functions.FUNCTIONS`."""
        from numba.core.compiler_lock import global_compiler_lock

        with global_compiler_lock:
            code = self._optimised(name, types)
        module = llvm.parse_assembly(code)
        exported = symbol(name, types)
        for function in module.functions:
            if not function.is_declaration and function.name != exported:
                function.linkage = "internal"
        for variable in module.global_variables:
            if not variable.is_declaration:
                variable.linkage = "internal"
        self._remove_unused(module)
        data: bytes = self._machine.emit_object(module)
        return data

    def _remove_unused(self, module: Any) -> None:
        builder = llvm.create_pass_builder(self._machine, llvm.create_pipeline_tuning_options())
        passes = llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()
        passes.run(module, builder)

    def _optimised(self, name: str, types: Types) -> str:
        """Return LLVM's optimised code of a function and of a C function that calls it."""
        from numba.core import compiler

        from convtool.compiled.jit import OPTIONS, entry_of

        made = entry_of(name)
        signature = made.signature(types)
        flags = compiler.Flags()
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.nrt = True
        flags.error_model = OPTIONS["error_model"]
        if made.fastmath:
            flags.fastmath = made.fastmath
        self._context.refresh()
        self._typing.refresh()
        result = compiler.compile_extra(
            self._typing,
            self._context,
            made.function,
            signature.args,
            signature.return_type,
            flags,
            {},
        )
        self._add_c_function(result, symbol(name, types))
        result.library.finalize()
        code: str = result.library.get_llvm_str()
        return code

    def _add_c_function(self, result: Any, exported: str) -> None:
        """Add a function of C's calling convention; compiled functions report no errors."""
        from llvmlite import ir
        from numba.core import types

        context, described = self._context, result.fndesc
        module = context.create_module(exported)
        kind = context.call_conv.get_function_type(described.restype, described.argtypes)
        inner = ir.Function(module, kind, described.llvm_func_name)
        returns = described.restype != types.void
        answer = context.get_value_type(described.restype) if returns else ir.VoidType()
        given = [context.get_value_type(kind) for kind in described.argtypes]
        outer = ir.Function(module, ir.FunctionType(answer, given), exported)
        builder = ir.IRBuilder(outer.append_basic_block("entry"))
        _, value = context.call_conv.call_function(
            builder, inner, described.restype, described.argtypes, outer.args
        )
        if returns:
            builder.ret(value)
        else:
            builder.ret_void()
        result.library.add_ir_module(module)
