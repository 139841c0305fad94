// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {GasTest} from "test/contracts/gas/GasTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev What each call costs by itself.
contract StepsGasTest is GasTest {
    function _snap(string memory name) private {
        vm.snapshotGasLastCall(STEPS, name);
    }

    function test_Gas_Money() external {
        usd.mint(alice.owner, 100e6);
        vm.startPrank(alice.owner);
        usd.approve(address(market), type(uint256).max);
        market.deposit(address(usd), alice.owner, 1e6);
        _snap("deposit");
        market.withdraw(address(usd), alice.owner, 1e6);
        _snap("withdraw");
        market.collectFees(address(usd), _owners());
        market.queueUnstake(alice.id, 1e18);
        _snap("queueUnstake");
        vm.warp(_now() + 7 days);
        market.unstake(alice.id, alice.owner);
        _snap("unstake");
        dpu.approve(address(market), type(uint256).max);
        market.stake(alice.id, 0.5e18);
        _snap("stake, again");
    }

    function test_Gas_DepositWithPermit() external {
        bytes32 hash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                requester,
                address(market),
                5e6,
                usd.nonces(requester),
                _now()
            )
        );
        hash = keccak256(abi.encodePacked(hex"1901", ERC20Permit(address(usd)).DOMAIN_SEPARATOR(), hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(requesterKey, hash);
        usd.mint(requester, 10e6);
        vm.prank(requester);
        market.depositWithPermit(address(usd), 5e6, _now(), v, r, s);
        _snap("depositWithPermit");
    }

    function test_Gas_Register() external {
        market.register(stranger, 2, keccak256("key"), "http://127.0.0.1:24101/");
        _snap("register");
    }

    function test_Gas_Post() external {
        Terms memory t = _job(true, false);
        _post(t);
        _snap("post, DPU");
        t = _job(true, true);
        _post(t);
        _snap("post, ERC-20");
        Terms[] memory batch = new Terms[](10);
        for (uint256 i; i < 10; ++i) {
            batch[i] = _job(true, true);
        }
        vm.prank(requester);
        market.postBatch(Packing.pack(batch));
        _snap("postBatch of 10");
    }

    function test_Gas_LeaseOfAWholeJob() external {
        _walk(_job(false, false), "solo");
    }

    function test_Gas_LeaseOfAPart() external {
        Terms memory t = _job(false, false);
        (t.shards, t.maxLease) = (4, 2);
        _walk(t, "shared");
    }

    function test_Gas_LeaseOf64Shards() external {
        Terms memory t = _job(false, false);
        t.shards = 64;
        _walk(t, "64 shards");
    }

    function _walk(Terms memory t, string memory kind) private {
        t.rules = _rules(_auditing());
        _post(t);
        _draw(t);
        Work memory w = _claim(t, alice, t.maxLease);
        bytes32 commitment = _commitmentOf(w);
        _claimAgain(t, kind);
        vm.prank(w.n.operator);
        market.commit(w.id, w.l.pack(), commitment);
        _snap(string.concat("commit, ", kind));
        (w.l.commitment, w.l.committedBlock) = (commitment, uint40(vm.getBlockNumber()));
        _spare(w, 200);
        _reveal(w);
        _snap(string.concat("reveal, ", kind));
        _pass(t.window + 1, 1);
        _settle(w);
        _snap(string.concat("settle, ", kind));
    }

    /// @dev The claim is measured on an equal job, because a read between the call and the snapshot would be the last call.
    function _claimAgain(Terms memory t, string memory kind) private {
        Terms memory twin = abi.decode(abi.encode(t), (Terms));
        twin.salt += 100;
        twin.expiry = uint40(_now() + 1 hours);
        _post(twin);
        _draw(twin);
        vm.prank(alice.operator);
        market.claim(twin.pack(), alice.id, t.maxLease);
        _snap(string.concat("claim, ", kind));
    }

    function test_Gas_Submit() external {
        Terms memory t = _job(true, true);
        _post(t);
        _draw(t);
        Work memory w = _claim(t, alice, 1);
        _submit(w);
        _snap("submit, solo");
        _pass(t.window + 1, 1);
        _settle(w);
        _snap("settle, ERC-20");
    }

    function test_Gas_Accept() external {
        Terms memory t = _job(true, false);
        _post(t);
        _draw(t);
        Work memory w = _claim(t, alice, 1);
        _accept(w);
        _snap("accept, solo");
    }

    function test_Gas_Orders() external {
        Terms memory t = _job(true, false);
        bytes memory order = _order(t);
        vm.prank(alice.operator);
        market.claimOrder(t.pack(), order, alice.id, 1);
        _snap("claimOrder");
        t = _job(true, false);
        Result memory r = _result("r");
        order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, alice.id, r);
        market.settleOrder(t.pack(), order, alice.id, r, acceptance);
        _snap("settleOrder");
    }

    function test_Gas_LapseAndTakeOver() external {
        Terms memory t = _job(true, false);
        t.expiry = uint40(_now() + 1 days);
        _post(t);
        _draw(t);
        Work memory w = _claim(t, alice, 1);
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(t.pack(), w.l.pack());
        _snap("lapse, solo");
        _pass(30 minutes, 2);
        vm.prank(bob.operator);
        market.takeOver(t.pack(), 0, bob.id);
        _snap("takeOver, solo");
    }

    function test_Gas_CancelAndClose() external {
        Terms memory t = _job(true, false);
        _post(t);
        vm.warp(_now() + 60);
        vm.prank(requester);
        market.cancel(t.pack());
        _snap("cancel");
        t = _job(true, false);
        _post(t);
        vm.warp(t.expiry + 1);
        market.close(t.pack());
        _snap("close");
    }
}
