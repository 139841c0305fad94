// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";
import {BrokenWallet, Wallet} from "test/contracts/lib/Wallets.sol";

contract AcceptTest is MarketTest {
    function _refuses(Work memory w, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, w.id, w.t.requester));
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
    }

    function test_Accept_PaysAtOnceInEveryLivingPhase() external {
        for (uint256 i; i < 6; ++i) {
            Terms memory t = i % 2 == 0 ? _terms() : _many(4, 2);
            Work memory w = _claimed(t);
            if (i >= 2) _commit(w);
            if (i >= 4) _reveal(w);
            uint256 before = _balance(address(dpu), alice.owner);
            uint256 count = w.l.count;

            _accept(w);

            assertEq(_balance(address(dpu), alice.owner) - before, 0.97e18 * count);
            assertEq(market.node(alice.id).locked, 0);
            assertEq(uint8(_phase(w)), uint8(Phase.None));
            assertEq(uint8(_state(w.id)), uint8(i % 2 == 0 ? JobState.Complete : JobState.Open));
        }
    }

    function test_Accept_SaysSoInItsEvent() external {
        Work memory w = _revealed(_inUsd(_direct()));
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseAccepted(w.id, alice.id, 0, 0.97e6, 0.03e6, w.r);
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
    }

    function test_Accept_WorksAfterAMissedDeadlineWhilePaused() external {
        Work memory w = _claimed(_terms());
        _pause();
        vm.warp(uint256(w.l.deadline) + 1);
        _accept(w);
    }

    function test_RevertWhen_Accept_SignedByAnother() external {
        Work memory w = _revealed(_terms());
        (, uint256 key) = makeAddrAndKey("another");
        requesterKey = key;
        _refuses(w, _acceptance(w.t, 0, alice.id, w.r));
        _refuses(w, "");
        _refuses(w, new bytes(65));
    }

    /// @dev The other half of a signature's curve point is refused: one acceptance has one form.
    function test_RevertWhen_Accept_SignatureIsMalleable() external {
        Work memory w = _revealed(_terms());
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(0), bytes32(0), uint8(signature[64]));
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        _refuses(w, abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_Accept_SignatureIsForAnotherResultNodeLeaseOrJob() external {
        Work memory w = _revealed(_many(4, 2));
        _refuses(w, _acceptance(w.t, 1, alice.id, w.r));
        _refuses(w, _acceptance(w.t, 0, bob.id, w.r));
        _refuses(w, _acceptance(w.t, 0, alice.id, _result("another")));
        _refuses(w, _acceptance(_terms(), 0, alice.id, w.r));
        _refuses(w, _order(w.t));
    }

    function test_RevertWhen_Accept_RevealedAnotherResult() external {
        Work memory w = _revealed(_terms());
        w.r = _result("another");
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
    }

    function test_RevertWhen_Accept_LeaseIsNotTheOneHeld() external {
        Work[2] memory works = [_claimed(_terms()), _committed(_terms())];
        for (uint256 i; i < 2; ++i) {
            Work memory w = works[i];
            w.l.price += 1;
            bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
            vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
            market.accept(w.t.pack(), w.l.pack(), w.r, signature);
        }
    }

    function test_RevertWhen_Accept_TwiceOrLapsed() external {
        Work memory w = _revealed(_terms());
        _accept(w);
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);

        w = _lapsed(_terms());
        signature = _acceptance(w.t, 0, alice.id, w.r);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
    }

    function test_Accept_ByARequesterThatIsAContract() external {
        Wallet wallet = new Wallet(requester);
        Work memory w = _ofWallet(address(wallet));
        _accept(w);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));

        w = _ofWallet(address(wallet));
        (, requesterKey) = makeAddrAndKey("another");
        _refuses(w, _acceptance(w.t, 0, alice.id, w.r));
    }

    function test_RevertWhen_Accept_TheRequestersContractReverts() external {
        Work memory w = _ofWallet(address(new BrokenWallet()));
        _refuses(w, _acceptance(w.t, 0, alice.id, w.r));
        _pass(w.t.window + 1, 1);
        _settle(w);
    }

    /// @dev An account that delegated its code (EIP-7702) answers by its code, like any other contract.
    function test_Accept_ByADelegatedAccount() external {
        Work memory w = _revealed(_terms());
        bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
        Wallet code = new Wallet(requester);
        vm.signAndAttachDelegation(address(code), requesterKey);
        market.accept(w.t.pack(), w.l.pack(), w.r, signature);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
        assertGt(requester.code.length, 0);
    }

    function _ofWallet(address wallet) private returns (Work memory) {
        market.deposit(address(dpu), wallet, 10e18);
        Terms memory t = _direct();
        t.requester = wallet;
        return _revealed(t);
    }
}
