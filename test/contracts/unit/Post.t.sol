// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";
import {Terms as PackedTerms} from "src-contracts/types/Terms.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

contract PostTest is MarketTest {
    function _refuses(Terms memory t, bytes32 field) private {
        bytes32 id = market.jobId(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TermsInvalid.selector, id, field));
        vm.prank(t.requester);
        market.post(t.pack());
    }

    function test_Post_MovesTheWorstCaseIntoEscrow() external {
        Terms memory t = _many(5, 2);
        uint256 before = _balance(t.currency, requester);

        bytes32 id = _post(t);

        assertEq(before - _balance(t.currency, requester), 10e18, "5 x 2 DPU");
        _assertJob(id, Job(JobState.Open, uint40(_now()), uint40(vm.getBlockNumber()), 0, 0, 0, 10e18));
    }

    function test_Post_EmitsEverythingTheIndexerNeeds() external {
        Terms memory t = _inUsd(_terms());

        vm.expectEmit(address(market));
        emit JobFacts.JobPosted(market.jobId(t.pack()), requester, t.pack());
        _post(t);
    }

    function test_Post_IdIsTheEip712HashOfTheTerms() external {
        Terms memory t = _many(7, 3);
        bytes32 typehash = keccak256(
            "Terms(address requester,address currency,uint96 minPrice,uint96 maxPrice,uint96 bond,uint32 shards,"
            "uint16 maxLease,uint8 runtime,uint8 tier,uint8 seats,bool direct,bool tolerant,uint16 auditBps,uint152 rules,uint32 node,"
            "uint40 start,uint40 expiry,uint32 ramp,uint32 exec,uint32 window,bytes32 spec,bytes32 afterJob,uint64 salt)"
        );
        bytes32 hash = keccak256(bytes.concat(typehash, abi.encode(t)));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _domain(), hash));

        assertEq(market.jobId(t.pack()), digest, "by the extension");
        assertEq(_post(t), digest, "by the market");
    }

    function test_PostBatch_LaterJobsMayNameEarlierOnes() external {
        Terms[] memory batch = new Terms[](2);
        batch[0] = _terms();
        batch[1] = _terms();
        batch[1].afterJob = market.jobId(batch[0].pack());

        vm.prank(requester);
        bytes32[] memory ids = market.postBatch(Packing.pack(batch));

        assertEq(ids.length, 2);
        assertEq(ids[0], batch[1].afterJob);
        assertEq(uint8(_state(ids[1])), uint8(JobState.Open));
    }

    function test_PostBatch_OfNothingDoesNothing() external {
        assertEq(market.postBatch(Packing.pack(new Terms[](0))).length, 0);
    }

    function test_RevertWhen_PostBatch_OneIsBad() external {
        Terms[] memory batch = new Terms[](2);
        batch[0] = _terms();
        batch[1] = batch[0];
        bytes32 id = market.jobId(batch[0].pack());

        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Open, JobState.None));
        vm.prank(requester);
        market.postBatch(Packing.pack(batch));
        assertEq(uint8(_state(id)), uint8(JobState.None), "all or nothing");
    }

    function test_RevertWhen_Post_ByAnother() external {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NotRequester.selector, market.jobId(t.pack()), stranger));
        vm.prank(stranger);
        market.post(t.pack());
    }

    function test_RevertWhen_Post_Twice() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);

        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Open, JobState.None));
        _post(t);
    }

    function test_RevertWhen_Post_AfterItsEnd() external {
        Terms memory t = _direct();
        t.window = 0;
        Work memory w = _settled(t);

        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Complete, JobState.None));
        _post(t);
    }

    function test_RevertWhen_Post_BalanceOneShort() external {
        Terms memory t = _terms();
        uint256 balance = _balance(t.currency, requester);
        vm.startPrank(requester);
        market.withdraw(t.currency, requester, balance - t.maxPrice + 1);

        vm.expectRevert(
            abi.encodeWithSelector(
                LedgerFacts.BalanceTooLow.selector, t.currency, requester, t.maxPrice - 1, t.maxPrice
            )
        );
        market.post(t.pack());
    }

    function test_RevertWhen_Post_WithAnotherParamsVersion() external {
        Terms memory t = _terms();
        t.rules = RulesLib.pack(_params(), 2);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.ParamsVersion.selector, 2, 1));
        _post(t);

        vm.prank(governor);
        market.addParams(_params());
        t.rules = _rules(1);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.ParamsVersion.selector, 1, 2));
        _post(t);
    }

    /// @dev Closing a currency stops deposits; money that is inside stays good for jobs.
    function test_Post_InACurrencyThatWasClosed() external {
        Terms memory t = _inUsd(_terms());
        vm.prank(governor);
        market.allowCurrency(address(usd), false);
        _post(t);
    }

    function test_RevertWhen_Post_CurrencyWasNeverOpen() external {
        Terms memory t = _terms();
        t.currency = stranger;
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, stranger, requester, 0, 2e18));
        _post(t);
    }

    function test_RevertWhen_Post_RuntimeIsClosedOrUnknown() external {
        Terms memory t = _terms();
        uint8[4] memory unknown = [0, 2, 32, 255];
        for (uint256 i; i < unknown.length; ++i) {
            t.runtime = unknown[i];
            _refuses(t, "runtime");
        }
        vm.prank(governor);
        market.allowRuntime(1, false);
        t.runtime = 1;
        _refuses(t, "runtime");
    }

    function test_RevertWhen_Post_ShardsOutOfRange() external {
        Terms memory t = _terms();
        t.shards = 0;
        _refuses(t, "shards");
        t.shards = 16_777_216;
        _refuses(t, "shards");
    }

    function test_Post_TakesTheMostShards() external {
        Terms memory t = _inUsd(_terms());
        (t.shards, t.minPrice, t.maxPrice) = (16_777_215, 0, 1);
        assertEq(market.job(_post(t)).left, 16_777_215);
    }

    function test_RevertWhen_Post_NoLeaseIsAllowed() external {
        Terms memory t = _terms();
        t.maxLease = 0;
        _refuses(t, "maxLease");
    }

    function test_RevertWhen_Post_PricesAreWrong() external {
        Terms memory t = _terms();
        t.minPrice = t.maxPrice + 1;
        _refuses(t, "maxPrice");
        (t.minPrice, t.maxPrice) = (0, 0);
        _refuses(t, "maxPrice");
        (t.maxPrice, t.shards) = (type(uint96).max / 2 + 1, 2);
        _refuses(t, "maxPrice");
    }

    function test_Post_EscrowUpToTheLastOf96Bits() external {
        usd.mint(address(this), type(uint96).max);
        market.deposit(address(usd), requester, type(uint96).max);
        Terms memory t = _inUsd(_terms());
        (t.bond, t.maxPrice, t.shards) = (0, type(uint96).max / 3, 3); // which divides it
        bytes32 id = _post(t);
        assertEq(market.job(id).left, type(uint96).max);
        (t.maxPrice, t.shards) = (uint96(1 << 94), 4); // one more
        _refuses(t, "maxPrice");
    }

    function test_RevertWhen_Post_BondIsTooSmallForItsPriceInDpu() external {
        Terms memory t = _terms();
        t.bond = 8e18 - 1;
        _refuses(t, "bond");
        t.bond = 8e18;
        _post(t);
    }

    function test_Post_BondIsFreeWhenDirectOrInAnotherCurrency() external {
        Terms memory t = _direct();
        t.bond = 0;
        _post(t);
        t = _inUsd(_terms());
        t.bond = 0;
        _post(t);
    }

    function test_RevertWhen_Post_BondsOverflow() external {
        Terms memory t = _terms();
        (t.bond, t.shards) = (type(uint96).max / 2 + 1, 2);
        _refuses(t, "bond");
    }

    function test_Post_BondsUpToTheLastOf96Bits() external {
        Terms memory t = _terms();
        (t.bond, t.shards) = (type(uint96).max / 3, 3); // which divides it
        bytes32 id = _post(t);
        assertEq(uint8(_state(id)), uint8(JobState.Open));
        (t.bond, t.shards) = (uint96(1 << 94), 4); // one more
        _refuses(t, "bond");
    }

    function test_RevertWhen_Post_SeatsAreNotOffered() external {
        Terms memory t = _terms();
        uint8[4] memory wrong = [0, 2, 4, 255];
        for (uint256 i; i < wrong.length; ++i) {
            t.seats = wrong[i];
            _refuses(t, "seats");
        }
    }

    function test_RevertWhen_Post_AuditRateIsWrong() external {
        Terms memory t = _terms();
        t.auditBps = 10_001;
        _refuses(t, "auditBps");
        t = _direct();
        t.auditBps = 1;
        _refuses(t, "auditBps");
    }

    function test_RevertWhen_Post_ExecOrWindowOutOfRange() external {
        Terms memory t = _terms();
        t.exec = 0;
        _refuses(t, "exec");
        t.exec = 24 hours + 1;
        _refuses(t, "exec");
        t.exec = 24 hours;
        t.window = 24 hours + 1;
        _refuses(t, "window");
        t.window = 24 hours;
        _post(t);
    }

    function test_RevertWhen_Post_ExpiryOutOfRange() external {
        Terms memory t = _terms();
        t.expiry = uint40(_now()) - 1;
        _refuses(t, "expiry");
        t.expiry = uint40(_now() + 30 days) + 1;
        _refuses(t, "expiry");
        t.expiry = uint40(_now() + 30 days);
        t.start = t.expiry + 1;
        _refuses(t, "expiry");
        t.start = t.expiry;
        _post(t);
    }

    function test_Post_MayExpireInTheSameSecond() external {
        Terms memory t = _terms();
        t.expiry = uint40(_now());
        _post(t);
    }

    function test_RevertWhen_Post_NodeSpecOrEarlierJobUnknown() external {
        Terms memory t = _terms();
        t.node = carol.id + 1;
        _refuses(t, "node");
        t.node = carol.id;
        t.spec = 0;
        _refuses(t, "spec");
        t.spec = keccak256("spec");
        t.afterJob = keccak256("nobody posted this");
        _refuses(t, "afterJob");
    }

    function test_RevertWhen_Post_EarlierJobCanNoLongerComplete() external {
        Terms memory cancelled = _terms();
        vm.prank(requester);
        market.cancel(cancelled.pack());
        Terms memory t = _terms();
        t.afterJob = market.jobId(cancelled.pack());
        _refuses(t, "afterJob");

        Terms memory stopping = _many(4, 2);
        _claimed(stopping);
        vm.warp(_now() + 60);
        vm.prank(requester);
        market.cancel(stopping.pack());
        t.afterJob = market.jobId(stopping.pack());
        _refuses(t, "afterJob");
    }

    function test_Post_EarlierJobMayBeOpenLeasedOrComplete() external {
        Terms memory first = _terms();
        Terms memory t = _terms();
        t.afterJob = _post(first);
        _post(t);
        Work memory w = _claim(first, alice, 1);
        t.salt = 1_000;
        _post(t);
        _accept(w);
        t.salt = 1_001;
        _post(t);
    }

    /// @dev One dirty bit above each narrow field: such terms hash to an id that must never be posted.
    /// @dev Words that pack several fields may carry spare bits: they say nothing, so they change nothing.
    function test_Post_SpareBitsAreNotPartOfTheId() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        PackedTerms memory packed = t.pack();
        packed.shape |= 0xfc;
        packed.times |= type(uint256).max << 208;
        assertEq(market.jobId(packed), id);

        vm.startPrank(requester);
        market.post(packed);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Open, JobState.None));
        market.post(t.pack());
        vm.stopPrank();
    }

    function test_RevertWhen_Post_RulesHaveDirtyBits() external {
        bytes memory dirty = abi.encodeCall(market.post, (_terms().pack()));
        dirty[4 + 32 * 4] |= bytes1(uint8(1));
        vm.prank(requester);
        (bool ok,) = address(market).call(dirty);
        assertFalse(ok, "dirty bits");
    }

    function test_RevertWhen_Post_Paused() external {
        Terms memory t = _terms();
        uint40 until = uint40(_now() + 1 days);
        _pause();

        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, until));
        _post(t);
        vm.warp(until);
        t.expiry = until + 1 hours;
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, until));
        _post(t);
        vm.warp(until + 1);
        _post(t);
    }

    function test_Post_WritesOneJobWordAndOneBalance() external {
        Terms memory t = _many(64, 64);
        vm.record();
        bytes32 id = _post(t);
        (, bytes32[] memory writes) = vm.accesses(address(market));

        assertEq(writes.length, 2, "job and balance");
        assertEq(uint256(vm.load(address(market), writes[1])) >> 248, uint256(JobState.Open));
        assertEq(market.job(id).left, 128e18);
    }
}
