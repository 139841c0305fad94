// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {GasTest} from "test/contracts/gas/GasTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Nothing in the Market counts, walks or sorts: a hundred times the nodes, jobs and shards cost nobody a unit more.
contract GrowthGasTest is GasTest {
    /// @dev What the last call cost, less its calldata, whose price depends on how many zero bytes an id happens to have.
    function _execution(bytes memory data) private view returns (uint256 gas_) {
        gas_ = vm.lastCallGas().gasTotalUsed;
        for (uint256 i; i < data.length; ++i) {
            gas_ -= data[i] == 0 ? 4 : 16;
        }
    }

    /// @dev Post, claim (one shard), submit and accept of a shared lease.
    function _life(uint32 shards) private returns (uint256[4] memory gas_) {
        Terms memory t = _job(true, true);
        (t.shards, t.maxLease, t.salt) = (shards, 1, uint64(uint256(keccak256(abi.encode(_now())))));
        vm.prank(requester);
        market.post(t.pack());
        gas_[0] = _execution(abi.encodeCall(market.post, (t.pack())));
        _draw(t);
        vm.prank(alice.operator);
        market.claim(t.pack(), alice.id, 1);
        gas_[1] = _execution(abi.encodeCall(market.claim, (t.pack(), alice.id, 1)));
        Work memory w = _work(t, alice, 0);
        _submit(w);
        gas_[2] = _execution(abi.encodeCall(market.submit, (w.id, w.l.pack(), w.r)));
        bytes memory signature = _acceptance(t, 0, alice.id, w.r);
        market.accept(t.pack(), w.l.pack(), w.r, signature);
        gas_[3] = _execution(abi.encodeCall(market.accept, (t.pack(), w.l.pack(), w.r, signature)));
    }

    function test_Gas_IsTheSameWithAHundredTimesTheNodesJobsAndShards() external {
        uint256[4] memory small = _life(2);
        for (uint256 i; i < 297; ++i) {
            _register(vm.toString(i), 2);
        }
        Actor memory whale = _node("whale", 97 * STAKE);
        for (uint256 i; i < 99; ++i) {
            Terms memory t = _job(true, true);
            _post(t);
        }
        (uint96 total,) = market.runtime(1);
        assertEq(total, 100 * STAKE, "with the stake of a hundred");
        assertEq(whale.id, 301);
        dpu.transfer(alice.owner, 97 * STAKE);
        _pass(1 hours, 1);

        uint256[4] memory large = _life(200);
        for (uint256 i; i < 4; ++i) {
            assertApproxEqAbs(large[i], small[i], 25, "a few units for the bits of a signature and a hash");
        }
    }
}
