// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";

/// @dev A dispute costs the same among many times the nodes, jobs and disputes.
contract GrowthCourtGasTest is CourtTest {
    /// @dev What the last call cost, less its calldata, whose price depends on how many zero bytes an id happens to have.
    function _execution(bytes memory data) private view returns (uint256 gas_) {
        gas_ = vm.lastCallGas().gasTotalUsed;
        for (uint256 i; i < data.length; ++i) {
            gas_ -= data[i] == 0 ? 4 : 16;
        }
    }

    /// @dev Challenge, the last juror, judge and enforce.
    function _trial() private returns (uint256[4] memory gas_) {
        Work memory w = _revealed(_terms(1));
        Suit memory s = _challenged(w, 0);
        gas_[0] = _execution(abi.encodeCall(market.challenge, (w.t.pack(), w.l.pack(), w.r, _shard(w, 0), 0)));
        _serve(s, _all(Verdict.Valid, 4));
        Testimony[] memory said = new Testimony[](5);
        for (uint256 i; i < 4; ++i) {
            said[i] = s.said[i];
        }
        Actor memory last = _next(s);
        said[4] = Testimony(last.id, Verdict.Valid, keccak256("own"), 7, keccak256("evidence"), bytes32(uint256(5)));
        bytes32 commitment = market.testimonyOf(s.key, 1, said[4]);
        vm.prank(last.operator);
        market.serve(w.t.pack(), w.l.pack(), 0, last.id, commitment);
        gas_[1] = _execution(abi.encodeCall(market.serve, (w.t.pack(), w.l.pack(), 0, last.id, commitment)));
        market.judge(w.t.pack(), w.l.pack(), 0, said);
        gas_[2] = _execution(abi.encodeCall(market.judge, (w.t.pack(), w.l.pack(), 0, said)));
        _pass(APPEAL);
        market.enforce(w.t.pack(), w.l.pack(), w.r, 0);
        gas_[3] = _execution(abi.encodeCall(market.enforce, (w.t.pack(), w.l.pack(), w.r, 0)));
    }

    function test_Gas_OfADisputeIsTheSameInALargerMarket() external {
        _trial(); // so that nothing is written for the first time
        uint256[4] memory small = _trial();
        for (uint256 i; i < 500; ++i) {
            vm.prank(stranger);
            market.register(address(uint160(1_000_000 + i)), 2, 0, "");
        }
        for (uint32 i; i < 100; ++i) {
            Work memory w = _revealed(_terms(1));
            if (i % 4 == 0) _challenged(w, 0);
        }
        uint256[4] memory large = _trial();
        for (uint256 i; i < 4; ++i) {
            assertApproxEqAbs(
                large[i], small[i], 250, "the bits of a hash, and a branch of the draw; one slot more were 2,100"
            );
        }
    }
}
