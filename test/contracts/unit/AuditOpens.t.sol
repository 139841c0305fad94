// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev From when on every node may audit, drawn or not: the middle of the audit's window, which is 30 minutes long here.
contract AuditOpensTest is PanelTest {
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        p.auditRates = 0xaaa8;
    }

    /// @dev Held and committed by alice, and drawn; `late` has staked since, so that no draw ever lets it in.
    function _drawn() private returns (Work memory w, Actor memory late) {
        Terms memory t = _terms();
        (t.node, t.auditBps, t.minPrice) = (0, 10_000, t.maxPrice);
        t.expiry = uint40(_now() + 1 hours);
        _post(t);
        _pass(30 minutes, 2);
        w = _claim(t, alice, 1);
        _commit(w);
        late = _node("late", STAKE);
        _roll(w, 200, 10_000);
    }

    function test_Audit_OpensToEveryoneInTheMiddleOfItsWindow() external {
        (Work memory w, Actor memory late) = _drawn();
        (, uint40 committed) = market.lease(w.id, 0);
        bytes memory early = abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, late.id, committed + 15 minutes);
        _cannotAudit(w, late, early);
        vm.warp(uint256(committed) + 15 minutes - 1);
        _cannotAudit(w, late, early);
        vm.warp(uint256(committed) + 15 minutes);
        _auditedBy(w, late);
    }

    function test_Audit_WhoIsDrawnNeedNotWait() external {
        (Work memory w,) = _drawn();
        bytes32 seed = keccak256("seed");
        while (uint64(uint256(keccak256(abi.encode(seed, w.id, uint256(0), uint256(bob.id))))) > 2 ** 56) {
            seed = keccak256(abi.encode(seed));
        }
        vm.setBlockhash(w.l.committedBlock + 1, seed);
        _auditedBy(w, bob);
    }
}
