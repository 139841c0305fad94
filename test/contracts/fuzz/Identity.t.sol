// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev What is signed or committed for one thing is good for nothing else.
contract IdentityFuzzTest is MarketTest {
    function testFuzz_Commitment_OpensForItsOwnResultOnly(bytes32 root, uint64 units, bytes32 manifest, bytes32 salt)
        external
    {
        Work memory w = _committed(_terms());
        bool same = root == w.r.root && units == w.r.units && manifest == w.r.manifest && salt == w.salt;
        vm.assume(!same);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
        market.reveal(w.t.pack(), w.l.pack(), Result(root, units, manifest), salt);
    }

    /// @dev A node that copies another's commitment can never open it: node, lease and job are inside.
    function testFuzz_Commitment_CannotBeCopied(bytes32 salt, bool anotherJob) external {
        Terms memory t = _many(4, 2);
        t.node = 0;
        _post(t);
        _pass(30 minutes, 2);
        Work memory a = _claim(t, alice, 2);
        a.salt = salt;
        Terms memory t2 = t;
        if (anotherJob) {
            t2 = _many(4, 2);
            t2.node = 0;
            t2.expiry = uint40(_now() + 2 hours);
            _post(t2);
            _pass(30 minutes, 2);
        }
        Work memory b = _claim(t2, bob, 2);
        a.l.deadline = b.l.deadline;
        (b.r, b.salt) = (a.r, a.salt);
        bytes32 copied = _commitmentOf(a);
        vm.prank(bob.operator);
        market.commit(b.id, b.l.pack(), copied);
        (b.l.commitment, b.l.committedBlock) = (copied, uint40(vm.getBlockNumber()));

        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, b.id, b.l.first));
        market.reveal(b.t.pack(), b.l.pack(), b.r, b.salt);
    }

    function testFuzz_JobId_EveryFieldCounts(uint256 word, uint8 bit) external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        uint8[23] memory width =
            [160, 160, 96, 96, 96, 32, 16, 8, 8, 8, 1, 1, 16, 152, 32, 40, 40, 32, 32, 32, 255, 255, 64];
        word = bound(word, 0, 22);
        uint256 flipped = uint256(1) << (bit % width[word]);
        bytes memory encoded = abi.encode(t);
        assembly ("memory-safe") {
            let at := add(add(encoded, 0x20), mul(word, 0x20))
            mstore(at, xor(mload(at), flipped))
        }
        assertNotEq(market.jobId(abi.decode(encoded, (Terms)).pack()), id);
    }

    function testFuzz_Order_IsNoGoodOnAnotherChain(uint64 chain) external {
        vm.assume(chain != block.chainid && chain != 0);
        Terms memory t = _direct();
        Result memory r = _result("r");
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, alice.id, r);
        vm.chainId(chain);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, market.jobId(t.pack()), requester);
        vm.expectRevert(error);
        vm.prank(alice.operator);
        market.claimOrder(t.pack(), order, alice.id, 1);
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, alice.id, r, acceptance);
    }

    function test_Order_IsNoGoodAtAnotherMarket() external {
        Terms memory t = _direct();
        bytes memory order = _order(t);
        IMarket other = IMarket(vm.deployCode("Market.sol:Market", _arguments(address(dpu), treasury)));
        t.node = 0;
        bytes32 id = other.jobId(t.pack());
        assertNotEq(id, market.jobId(t.pack()));
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, id, requester));
        other.claimOrder(t.pack(), order, 1, 1);
    }

    function test_Acceptance_IsNoGoodOnAnotherChain() external {
        Work memory w = _revealed(_terms());
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        vm.chainId(77);
        // The id itself is another one there, so the lease is not even found.
        vm.expectPartialRevert(JobFacts.LeaseInPhase.selector);
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
    }
}
